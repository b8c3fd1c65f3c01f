//! Guidelines version by version, and what members have read.

use crate::people::{member, member_row};
use crate::world::*;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

pub(crate) async fn guidelines_are_kept_version_by_version_and_readings_until_the_member_goes(
    store: TestStore,
) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    let version = |n: u8, version: i64| GuidelinesRow {
        organization_id: org(n),
        version,
        body: format!("# {version}"),
        published_at: START,
    };
    let reading = |version: i64| ReadingRow {
        member_id: member(1),
        what: "guidelines".to_owned(),
        version,
        read_at: START,
    };
    let (one, two, other) = (version(1, 1), version(1, 2), version(2, 1));
    let (first, second) = (reading(1), reading(2));
    let written = act!(store.store, |tx| {
        tx.insert_member(&member_row(1)).await?;
        (
            tx.insert_guidelines(&one).await?,
            tx.insert_guidelines(&two).await?,
            tx.insert_guidelines(&two).await?,
            tx.insert_guidelines(&other).await?,
            tx.insert_reading(&second).await?,
            tx.insert_reading(&first).await?,
            tx.insert_reading(&first).await?,
        )
    });
    assert_eq!(written, Ok((true, true, false, true, true, true, false)));
    let mut r = read(&store).await;
    assert_eq!(r.guidelines(org(1)).await, Ok(Some(version(1, 2))));
    assert_eq!(r.guidelines_version(org(1)).await, Ok(2));
    assert_eq!(r.guidelines_version(org(3)).await, Ok(0));
    assert_eq!(r.guidelines(org(3)).await, Ok(None));
    assert_eq!(r.guidelines_of_version(org(1), 1).await, Ok(Some(version(1, 1))));
    assert_eq!(r.guidelines_of_version(org(2), 2).await, Ok(None));
    assert_eq!(r.readings(member(1)).await, Ok(vec![reading(1), reading(2)]));
    assert_eq!(r.readings(member(2)).await, Ok(Vec::new()));
    act!(store.store, |tx| tx.forget_readings(member(1)).await?).unwrap();
    assert_eq!(read(&store).await.readings(member(1)).await, Ok(Vec::new()));
}
