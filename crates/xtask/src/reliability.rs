//! docs/RELIABILITY.md, docs/THREATS.md and docs/LESSONS.md name tests: each must exist.

use std::path::Path;

/// The commands that `cargo xtask test` runs beside the tests.
const HOLDERS: [&str; 2] = ["`cargo xtask harness", "`cargo xtask schemathesis"];

/// The pages, each with the number of tests that it names at least.
const PAGES: [(&str, usize); 3] =
    [("docs/RELIABILITY.md", 90), ("docs/THREATS.md", 60), ("docs/LESSONS.md", 45)];

/// What a page names as `file.rs::function`, in its order.
fn named(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split('`').filter_map(|code| {
        let (file, function) = code.split_once("::")?;
        (file.ends_with(".rs") && file.contains('/')).then_some((file, function))
    })
}

/// The rows of its tables, without heads and rules.
fn rows(page: &str) -> impl Iterator<Item = &str> {
    let next = page.lines().skip(1).chain([""]);
    page.lines()
        .zip(next)
        .filter_map(|(line, next)| (line.starts_with("| ") && !next.starts_with("|---")).then_some(line))
}

#[test]
fn every_test_that_a_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (page, least) in PAGES {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let mut count = 0;
        for (file, function) in named(&text) {
            let code = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            assert!(code.contains(&format!("fn {function}(")), "{page}: {file}::{function} does not exist");
            count += 1;
        }
        assert!(count >= least, "{page} names only {count} tests");
    }
}

#[test]
fn every_guarantee_names_what_holds_it() {
    let held =
        |row: &&str| named(row).next().is_some() || HOLDERS.iter().any(|command| row.contains(command));
    for page in [
        include_str!("../../../docs/RELIABILITY.md"),
        include_str!("../../../docs/THREATS.md"),
        include_str!("../../../docs/LESSONS.md"),
    ] {
        let unheld: Vec<&str> = rows(page).filter(|row| !held(row)).collect();
        assert!(unheld.is_empty(), "{unheld:?}");
    }
}

#[test]
fn names_are_told_from_other_code() {
    let page = "`a/b.rs::c`, `cargo xtask harness`, `file.rs::name`, `Clock::now`";
    assert_eq!(named(page).collect::<Vec<_>>(), [("a/b.rs", "c")]);
}
