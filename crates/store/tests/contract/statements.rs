//! Every statement runs on both engines: the suite itself must reach each that is declared.

use keystead_store::testing::{self, POSTGRES_VARIABLE};
use std::path::Path;

/// What runs in parallel is the same suite on the same engine, so it can cover for nothing here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_runs_on_sqlite() {
    crate::every_test(testing::sqlite).await;
    assert_all_ran(false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_runs_on_postgres() {
    if std::env::var_os(POSTGRES_VARIABLE).is_none() {
        println!("not run: {POSTGRES_VARIABLE} is not set");
        return;
    }
    crate::every_test(async || testing::postgres().await.unwrap()).await;
    assert_all_ran(true);
}

fn assert_all_ran(on_postgres: bool) {
    let (declared, ran) = (testing::declared(), testing::ran(on_postgres));
    let never: Vec<_> = declared.difference(&ran).collect();
    assert!(never.is_empty(), "no test of the contract runs these: {never:#?}");
    let unlisted: Vec<_> = ran.difference(&declared).collect();
    assert!(unlisted.is_empty(), "tables/mod.rs does not list the table of these: {unlisted:#?}");
}

/// A statement that stood outside of `statements!` would be in no list.
#[test]
fn every_statement_is_declared_in_a_list() {
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tables");
    let listed = std::fs::read_to_string(tables.join("mod.rs")).unwrap();
    for file in std::fs::read_dir(tables).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for way_around in ["Statement::new", "Fragment::new", "sqlx::query_as(", "raw_sql", "AssertSqlSafe"] {
            assert!(!text.contains(way_around), "{way_around} in {}", path.display());
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        if text.contains("statements! {") {
            assert!(listed.contains(&format!("{name}::DECLARED")), "{name} is not listed");
        }
    }
}
