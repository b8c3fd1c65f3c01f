//! Writes that wait for company. A statement on SQLite costs two changes of thread, which is more
//! than most inserts cost; so what only writes waits for the next statement that must be answered,
//! and all of it goes over as one text.

use crate::statement::Statement;
use crate::value::Value;
use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use std::fmt::Write as _;

/// How many statements wait at most: a text stays short, and its variants few.
const WAITING_MAX: usize = 32;

/// The statements that wait, as one text whose parameters are numbered through.
#[derive(Default)]
pub(crate) struct Later {
    sql: String,
    arguments: SqliteArguments,
    waiting: usize,
}

impl Later {
    pub(crate) const fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.waiting >= WAITING_MAX
    }

    /// Adds a statement; what cannot be encoded leaves nothing behind that could run.
    pub(crate) fn add<const N: usize>(
        &mut self,
        statement: &Statement<N>,
        values: &[Value<'_>; N],
    ) -> Result<(), BoxDynError> {
        renumber(&mut self.sql, statement.sql(), self.arguments.len());
        for value in values {
            match value {
                Value::Int(value) => self.arguments.add(*value),
                Value::Text(value) => self.arguments.add(*value),
                Value::Bytes(value) => self.arguments.add(*value),
                Value::Owner(value) => self.arguments.add(value.as_slice()),
                Value::Bool(value) => self.arguments.add(*value),
            }?;
        }
        self.waiting += 1;
        Ok(())
    }

    /// Everything that waits, which no longer does.
    pub(crate) fn take(&mut self) -> (String, SqliteArguments) {
        let Self { sql, arguments, .. } = std::mem::take(self);
        (sql, arguments)
    }
}

/// Appends a statement's text, each parameter's number raised by `offset`.
fn renumber(sql: &mut String, statement: &str, offset: usize) {
    let mut parts = statement.split('$');
    sql.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        // Statements are checked when they are compiled: every `$` has its number.
        let number = number.parse::<usize>().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(sql, "${}{rest}", number + offset);
    }
    sql.push(';');
}

#[cfg(test)]
mod tests {
    use super::renumber;

    #[test]
    fn parameters_are_numbered_through() {
        let mut sql = String::new();
        renumber(&mut sql, "INSERT INTO a VALUES ($1, $2)", 0);
        renumber(&mut sql, "UPDATE a SET b = $2, c = $10 WHERE d = $1", 2);
        renumber(&mut sql, "DELETE FROM a", 12);
        assert_eq!(
            sql,
            "INSERT INTO a VALUES ($1, $2);UPDATE a SET b = $4, c = $12 WHERE d = $3;DELETE FROM a;"
        );
    }
}
