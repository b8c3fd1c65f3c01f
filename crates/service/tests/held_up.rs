//! A thread that was held up between its look at the clock and its decision refuses nobody for it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "everything here is a test, or what tests stand on"
)]

mod house;

use house::House;
use keystead_api::{Code, CreateKey, LimitSpec};
use keystead_domain::time::{Clock, ManualClock, Micros, SECOND};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

/// A clock of which the next few readings reach their readers late.
struct Late {
    clock: Arc<ManualClock>,
    readings: AtomicU32,
    micros: AtomicI64,
}

impl Clock for Late {
    fn now(&self) -> Micros {
        let one_less = |left: u32| left.checked_sub(1);
        let is_late = self.readings.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        let late = if is_late { self.micros.load(Ordering::SeqCst) } else { 0 };
        self.clock.now().plus(-late)
    }
}

async fn house() -> (House, Arc<Late>) {
    let mut house = House::open(keystead_store::testing::sqlite().await).await;
    let late = Arc::new(Late {
        clock: Arc::clone(&house.clock),
        readings: AtomicU32::new(0),
        micros: AtomicI64::new(0),
    });
    house.restart_with(Arc::<Late>::clone(&late)).await;
    let admin = house.admin();
    house.acme(&admin).await;
    (house, late)
}

async fn limited(house: &House, limit: LimitSpec) -> String {
    let permissions = house::everywhere(&["routes.read"]);
    let input = CreateKey { limits: vec![limit], permissions, ..CreateKey::default() };
    house.key(&house.admin(), input).await.key
}

#[tokio::test]
async fn a_request_whose_thread_was_held_up_is_not_refused_for_it() {
    let (house, late) = house().await;
    let admin = house.admin();
    let limit = LimitSpec { name: "requests".into(), limit: 10, window: "1s".into(), burst: None };
    let key = limited(&house, limit).await;
    let verdict = async || house.verdict(&admin, &key, "routes.read").await;
    for held_up in [SECOND + SECOND / 2, 5 * SECOND, 3_600 * SECOND] {
        house.clock.step(10 * SECOND);
        assert_eq!(verdict().await, Code::Valid);
        late.micros.store(held_up, Ordering::SeqCst);
        // The caller's own verdict, and the one that is asked for.
        late.readings.store(2, Ordering::SeqCst);
        assert_eq!(verdict().await, Code::Valid, "held up for {held_up} µs");
    }
    // Who has used up the limit is refused all the same.
    house.clock.step(10 * SECOND);
    for _ in 0..10 {
        assert_eq!(verdict().await, Code::Valid);
    }
    late.micros.store(SECOND / 2, Ordering::SeqCst);
    late.readings.store(2, Ordering::SeqCst);
    assert_eq!(verdict().await, Code::RateLimited);
}

#[tokio::test]
async fn however_briefly_it_was_held_up() {
    let (house, late) = house().await;
    let admin = house.admin();
    // One each 10 ms.
    let limit = LimitSpec { name: "requests".into(), limit: 100, window: "1s".into(), burst: Some(1) };
    let key = limited(&house, limit).await;
    let verdict = async || house.verdict(&admin, &key, "routes.read").await;
    for (since_another, held_up, code) in
        [(10_000, 20_000, Code::Valid), (10_000, 10_000, Code::Valid), (9_000, 20_000, Code::RateLimited)]
    {
        house.clock.step(SECOND);
        assert_eq!(verdict().await, Code::Valid);
        house.clock.step(since_another);
        late.micros.store(held_up, Ordering::SeqCst);
        late.readings.store(2, Ordering::SeqCst);
        assert_eq!(verdict().await, code, "held up for {held_up} µs, {since_another} µs after another");
    }
}
