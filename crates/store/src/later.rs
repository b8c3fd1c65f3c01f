//! Writes that wait for company. A statement on SQLite costs two changes of thread, one on PostgreSQL a way to the
//! server and back, which is more than most inserts cost; so what only writes waits for the next statement that must
//! be answered, and all of it goes over as one text.

use crate::statement::Statement;
use crate::value::Value;
use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use std::fmt::Write as _;

macro_rules! add_to {
    ($arguments:expr, $values:expr) => {
        for value in $values {
            match value {
                Value::Int(value) => $arguments.add(*value),
                Value::Text(value) => $arguments.add(*value),
                Value::Bytes(value) => $arguments.add(*value),
                Value::Owner(value) => $arguments.add(value.as_slice()),
                Value::Bool(value) => $arguments.add(*value),
            }?;
        }
    };
}

/// How many statements wait at most: a text stays short, and its variants few.
const WAITING_MAX: usize = 32;

/// The statements that wait for SQLite, as one text whose parameters are numbered through.
#[derive(Default)]
pub(crate) struct Later {
    sql: String,
    arguments: SqliteArguments,
    waiting: usize,
}

/// The statements that wait for PostgreSQL, which takes one at a time: all but the last stand in its `WITH`. They run
/// in no certain order and see nothing of each other, so these are inserts of given values, each of another kind; what
/// refers to another's row is checked when all have run.
#[derive(Default)]
pub(crate) struct Joined {
    texts: Vec<&'static str>,
    arguments: PgArguments,
    counts: Vec<usize>,
}

impl Joined {
    pub(crate) const fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether a statement may wait at all.
    pub(crate) fn takes(text: &str) -> bool {
        text.starts_with("INSERT INTO ") && !text.contains("SELECT")
    }

    /// Whether it may wait beside those that do.
    pub(crate) fn has_room_for(&self, text: &'static str) -> bool {
        !self.texts.contains(&text)
    }

    /// Adds a statement; what cannot be encoded leaves nothing behind that could run.
    pub(crate) fn add<const N: usize>(
        &mut self,
        statement: &Statement<N>,
        values: &[Value<'_>; N],
    ) -> Result<(), BoxDynError> {
        add_to!(self.arguments, values);
        self.texts.push(statement.sql());
        self.counts.push(N);
        Ok(())
    }

    /// Everything that waits, which no longer does.
    pub(crate) fn take(&mut self) -> (String, PgArguments) {
        let Self { texts, arguments, counts } = std::mem::take(self);
        let (mut sql, mut offset) = (String::new(), 0);
        let last = texts.len().saturating_sub(1);
        for (at, (text, count)) in texts.into_iter().zip(counts).enumerate() {
            match (at, last) {
                (_, 0) => {}
                (0, _) => sql.push_str("WITH w0 AS ("),
                _ if at == last => sql.push(' '),
                // Writing to a String cannot fail.
                _ => drop(write!(sql, ", w{at} AS (")),
            }
            renumber(&mut sql, text, offset);
            if at < last {
                sql.push(')');
            }
            offset += count;
        }
        (sql, arguments)
    }
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
        self.sql.push(';');
        add_to!(self.arguments, values);
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
}

#[cfg(test)]
mod tests {
    use super::{Joined, renumber};
    use crate::statement::statements;
    use crate::value::Value;

    statements! {
        A(2) = "INSERT INTO a VALUES ($1, $2)";
        B(1) = "INSERT INTO b VALUES ($1) ON CONFLICT DO NOTHING";
        C(1) = "INSERT INTO c SELECT $1 FROM a";
    }

    #[test]
    fn what_waits_for_postgresql_is_one_statement() {
        let mut joined = Joined::default();
        let one = [Value::Int(Some(1))];
        joined.add(&B, &one).unwrap();
        assert_eq!(joined.take().0, B.sql());
        assert!(joined.is_empty());
        joined.add(&A, &[Value::Int(Some(1)), Value::Text(None)]).unwrap();
        assert!(joined.has_room_for(B.sql()) && !joined.has_room_for(A.sql()));
        joined.add(&B, &one).unwrap();
        let (sql, _) = joined.take();
        assert_eq!(
            sql,
            "WITH w0 AS (INSERT INTO a VALUES ($1, $2)) INSERT INTO b VALUES ($3) ON CONFLICT DO NOTHING"
        );
        assert_eq!(DECLARED.len(), 3);
        assert!(Joined::takes(A.sql()) && Joined::takes(B.sql()) && !Joined::takes(C.sql()));
        assert!(!Joined::takes("UPDATE a SET b = $1"));
    }

    #[test]
    fn parameters_are_numbered_through() {
        let mut sql = String::new();
        renumber(&mut sql, "INSERT INTO a VALUES ($1, $2)", 0);
        sql.push(';');
        renumber(&mut sql, "UPDATE a SET b = $2, c = $10 WHERE d = $1", 2);
        sql.push(';');
        renumber(&mut sql, "DELETE FROM a", 12);
        assert_eq!(
            sql,
            "INSERT INTO a VALUES ($1, $2);UPDATE a SET b = $4, c = $12 WHERE d = $3;DELETE FROM a"
        );
    }
}
