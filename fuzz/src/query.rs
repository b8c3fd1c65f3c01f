//! The JSON of a permission query.

use crate::mutation::{Mutation, config, mutated};
use keystead_api::PermissionQuery;
use keystead_domain::pattern::is_name;
use keystead_domain::query::{NAMES_MAX, Query};
use proptest::prelude::*;

pub(crate) const SEEDS: [&str; 4] = [
    r#""routes.read""#,
    r#"{"all":["routes.read",{"any":["zones.read","zones.write"]}]}"#,
    r#"{"any":[{"permission":"routes.write","resource":"networks/NET-7"}]}"#,
    r#"{"all":[{"all":[{"all":[{"all":[{"all":[{"all":[{"all":[{"all":["a"]}]}]}]}]}]}]}]}"#,
];
pub(crate) const PIECES: [&str; 16] = [
    r#"{"all":["#,
    r#"{"any":["#,
    "]}",
    "[]",
    "{}",
    ",",
    r#""a.b""#,
    r#""a.*""#,
    r#""**""#,
    "null",
    "1e400",
    r#"{"permission":"a","resource":"b/c"}"#,
    r#"{"permission":"a","resource":"b/*"}"#,
    "\\u0000",
    "\"",
    "[[[[[[[[[[[[[[[[[[[[",
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_query_that_is_accepted_is_bounded_and_only_asks(mutation: Mutation) {
        if let Ok(written) = serde_json::from_slice(&mutated(&SEEDS, &PIECES, &mutation)) {
            check(&written);
        }
    }
}

/// What holds of every query, wherever it came from.
pub(crate) fn check(written: &PermissionQuery) {
    let Ok(query) = Query::parse(written) else {
        return;
    };
    let mut names = 0;
    query.names(&mut |name| {
        names += 1;
        assert!(is_name(name), "{name}");
    });
    assert!((1..=NAMES_MAX).contains(&names));
    // There is no "not": who holds everything passes, who holds nothing does not.
    assert!(query.holds(None, &mut |_, _| true));
    assert!(!query.holds(None, &mut |_, _| false));
}
