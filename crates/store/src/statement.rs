//! Statements are constants whose number of parameters is part of their type, so that a missing
//! parameter does not compile: SQLite would silently bind NULL.

use crate::value::Value;
use std::fmt::Write as _;

/// A statement with `N` parameters `$1` to `$N`, each of which occurs in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement<const N: usize>(&'static str);

impl<const N: usize> Statement<N> {
    /// Refuses, when it is compiled, a text whose parameters are not exactly `$1` to `$N`.
    pub(crate) const fn new(sql: &'static str) -> Self {
        assert!(seen(sql) == expected(N), "a statement must use each of $1 to $N");
        Self(sql)
    }

    pub(crate) const fn sql(&self) -> &'static str {
        self.0
    }
}

/// A bit for every parameter that the text uses.
const fn seen(sql: &str) -> u128 {
    let mut rest = sql.as_bytes();
    let mut seen = 0;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'$' {
            let mut number = 0u32;
            while let [digit @ b'0'..=b'9', after @ ..] = rest {
                number = number * 10 + (*digit - b'0') as u32;
                rest = after;
            }
            seen |= 1 << number;
        }
    }
    seen
}

const fn expected(parameters: usize) -> u128 {
    (1 << (parameters + 1)) - 2
}

/// A part of a filtered list, in which each of `N` `{}` stands for a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fragment<const N: usize>(&'static str);

impl<const N: usize> Fragment<N> {
    /// Refuses, when it is compiled, a text with another number of `{}`.
    pub(crate) const fn new(sql: &'static str) -> Self {
        assert!(places(sql) == N, "a fragment must have a place for each of its parameters");
        Self(sql)
    }

    #[cfg(feature = "testing")]
    pub(crate) const fn sql(&self) -> &'static str {
        self.0
    }
}

const fn places(sql: &str) -> usize {
    let mut rest = sql.as_bytes();
    let mut places = 0;
    while let [_, after @ ..] = rest {
        if let [b'{', b'}', ..] = rest {
            places += 1;
        }
        rest = after;
    }
    places
}

/// Declares a table's statements and fragments, and lists them for the test that runs every one.
macro_rules! statements {
    ($( $(#[$meta:meta])* $name:ident($parameters:literal) = $sql:expr; )*) => {
        $crate::statement::statements!(Statement $( $(#[$meta])* $name($parameters) = $sql; )*);
    };
    (fragments: $( $(#[$meta:meta])* $name:ident($parameters:literal) = $sql:expr; )*) => {
        $crate::statement::statements!(Fragment $( $(#[$meta])* $name($parameters) = $sql; )*);
    };
    ($kind:ident $( $(#[$meta:meta])* $name:ident($parameters:literal) = $sql:expr; )*) => {
        $(
            $(#[$meta])*
            const $name: $crate::statement::$kind<$parameters> = $crate::statement::$kind::new($sql);
        )*
        /// Every text that is declared here.
        #[cfg(feature = "testing")]
        pub(super) const DECLARED: &[&str] = &[$( $name.sql() ),*];
    };
}
pub(crate) use statements;

/// A filtered list's statement: constant fragments, and values that are only ever bound.
#[derive(Debug, Default)]
pub(crate) struct Filtered<'a> {
    fragments: Vec<&'static str>,
    values: Vec<Value<'a>>,
}

impl<'a> Filtered<'a> {
    /// Adds a fragment with its values.
    pub(crate) fn add<const N: usize>(&mut self, fragment: Fragment<N>, values: [Value<'a>; N]) {
        self.fragments.push(fragment.0);
        self.values.extend(values);
    }

    /// Its text, with `$1`, `$2`, … in the places of its values.
    pub(crate) fn sql(&self) -> String {
        let text = self.fragments.concat();
        let mut parts = text.split("{}");
        let mut sql = parts.next().unwrap_or_default().to_owned();
        for (number, part) in (1..).zip(parts) {
            // Writing to a String cannot fail.
            let _ = write!(sql, "${number}{part}");
        }
        sql
    }

    pub(crate) fn fragments(&self) -> &[&'static str] {
        &self.fragments
    }

    pub(crate) fn values(&self) -> &[Value<'a>] {
        &self.values
    }
}

/// What ran so far in this process on each engine: (on PostgreSQL, statement or fragment).
#[cfg(feature = "testing")]
pub(crate) static RAN: std::sync::Mutex<std::collections::BTreeSet<(bool, &'static str)>> =
    std::sync::Mutex::new(std::collections::BTreeSet::new());
