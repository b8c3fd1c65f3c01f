//! docs/RELIABILITY.md names tests: each must exist.

use std::path::Path;

/// The commands that `cargo xtask test` runs beside the tests.
const HOLDERS: [&str; 2] = ["`cargo xtask harness", "`cargo xtask schemathesis"];

/// What a page names as `file.rs::function`, in its order.
fn named(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split('`').filter_map(|code| {
        let (file, function) = code.split_once("::")?;
        (file.ends_with(".rs") && file.contains('/')).then_some((file, function))
    })
}

/// The rows of its tables, without heads and rules.
fn rows(page: &str) -> impl Iterator<Item = &str> {
    page.lines().filter(|line| line.starts_with("| ") && !line.ends_with("| held by |"))
}

#[test]
fn every_test_that_the_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/RELIABILITY.md")).unwrap();
    let mut count = 0;
    for (file, function) in named(&page) {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        assert!(text.contains(&format!("fn {function}(")), "{file}::{function} does not exist");
        count += 1;
    }
    assert!(count > 20, "only {count} tests are named");
}

#[test]
fn every_guarantee_names_what_holds_it() {
    let page = include_str!("../../../docs/RELIABILITY.md");
    let held =
        |row: &&str| named(row).next().is_some() || HOLDERS.iter().any(|command| row.contains(command));
    let unheld: Vec<&str> = rows(page).filter(|row| !held(row)).collect();
    assert!(unheld.is_empty(), "{unheld:?}");
}

#[test]
fn names_are_told_from_other_code() {
    let page = "`a/b.rs::c`, `cargo xtask harness`, `file.rs::name`, `Clock::now`";
    assert_eq!(named(page).collect::<Vec<_>>(), [("a/b.rs", "c")]);
}
