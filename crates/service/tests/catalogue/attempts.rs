//! Unknown keys.

use crate::house::*;
use keystead_api::*;

/// LESSONS 5: requests with unknown keys never reached analytics, brute force was invisible.
pub(crate) async fn unknown_keys_are_listed_lessons_5(mut house: House) {
    let admin = house.admin();
    house.acme(&admin).await;
    let ask = |key: &str| Verify {
        key: key.into(),
        project: Some("acme".into()),
        environment: Some("production".into()),
        ip: Some("203.0.113.9".into()),
        ..Verify::default()
    };
    for _ in 0..3 {
        assert_eq!(house.keystead.verify(&admin, &ask("guess")).await.unwrap().code, Code::Malformed);
    }
    house.clock.step(1_000_000);
    // A key of another project is not found here.
    assert_eq!(house.keystead.verify(&admin, &ask(&house.admin_key)).await.unwrap().code, Code::NotFound);
    let last = house.clock_now();
    house.restart().await;

    let admin = house.admin();
    let listed = house.keystead.unknown_keys(&admin, "acme", &page(10, None)).await.unwrap();
    let seen: Vec<_> = listed
        .items
        .iter()
        .map(|item| (item.code.as_str(), item.count, item.environment.as_deref()))
        .collect();
    assert_eq!(seen, [("not_found", 1, Some("production")), ("malformed", 3, Some("production"))]);
    assert_eq!(listed.items[0].last_at, last);
    assert_eq!(listed.items[1].networks[0].value, "203.0.113.0/24");
    assert_eq!(listed.next_cursor, None);
    assert_eq!(
        field(house.keystead.unknown_keys(&admin, "acme", &page(10, Some("x".into()))).await),
        "/cursor"
    );
    let limited = house.key_of(&admin, everywhere(&["projects.read"])).await;
    assert_forbidden(house.keystead.unknown_keys(&limited, "acme", &page(10, None)).await);
}
