//! Rate limits over two nodes: counted once, whoever comes and goes.

use crate::house::{self, House};
use crate::{Pair, comes, run, verdict};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName};
use keystead_api::*;
use keystead_domain::time::Clock;
use keystead_guard::{Answer, Request};
use keystead_service::caller::Caller;
use keystead_service::{ALONE_MAX, Door, Keystead};
use sqlx::postgres::PgConnection;
use std::sync::Arc;

impl Pair {
    /// The other node stops in order, and this one counts alone; it and the administrator.
    async fn alone(self) -> (House, Caller) {
        let Self { here, there, admin } = self;
        there.close().await;
        let mut session = here.session().await;
        let mut rounds = here.keystead.feed();
        while counted_by(&mut session).await.is_empty() {
            rounds.changed().await.unwrap();
        }
        // It counts alone by the end of the same sign of life, so by the next one.
        let before = beat(&mut session).await;
        while beat(&mut session).await == before {
            tokio::task::yield_now().await;
        }
        (here, admin)
    }

    /// Asks one node until it refuses; how many requests passed.
    async fn passes(&self, node: &Arc<Keystead>, key: &str) -> u64 {
        let mut passed = 0;
        loop {
            match verdict(node, &self.admin, key).await {
                Code::Valid => passed += 1,
                Code::RateLimited => return passed,
                other => panic!("{other} after {passed}"),
            }
        }
    }
}

/// How often the only node has given a sign of life.
async fn beat(session: &mut PgConnection) -> i64 {
    let (beat,): (i64,) = sqlx::query_as("SELECT max(beat) FROM nodes").fetch_one(session).await.unwrap();
    beat
}

/// Which node counts rate limits alone; empty when none does.
async fn counted_by(session: &mut PgConnection) -> String {
    let counted_by = "SELECT value FROM installation WHERE name = 'rates_counted_by'";
    let (id,): (String,) = sqlx::query_as(counted_by).fetch_one(session).await.unwrap();
    id
}

/// So many units in an hour, all of them at once.
fn limit(limit: u64) -> LimitSpec {
    LimitSpec { name: "main".into(), limit, window: "1h".into(), burst: None }
}

/// The clock stands still: exactly the burst passes, over both nodes.
pub(super) async fn a_limit_is_counted_once_over_both_nodes(pair: Pair) {
    let made = pair.key(CreateKey { limits: vec![limit(100)], ..CreateKey::default() }).await;
    let consumer = CreateConsumer {
        name: "Customer".into(),
        limits: vec![limit(50), LimitSpec { name: "more".into(), ..limit(70) }],
        ..CreateConsumer::default()
    };
    let consumer = pair.here.keystead.create_consumer(&pair.admin, "acme", consumer).await.unwrap();
    let shared =
        async || pair.key(CreateKey { consumer: Some(consumer.id.clone()), ..CreateKey::default() }).await;
    let (one, other) = (shared().await, shared().await);
    for (keys, burst) in [([&made, &made], 100), ([&one, &other], 50)] {
        let [first, second] = keys;
        let (here, there) =
            tokio::join!(pair.passes(&pair.here.keystead, &first.key), pair.passes(&pair.there, &second.key));
        assert_eq!(here + there, burst, "{here} here, {there} there");
    }
}

pub(super) async fn a_limit_holds_while_nodes_come_and_go(pair: Pair) {
    let made = pair.key(CreateKey { limits: vec![limit(100)], ..CreateKey::default() }).await;
    for _ in 0..20 {
        assert_eq!(pair.there(&made.key).await, Code::Valid);
    }
    // What it holds and has not spent is forfeited: a leaving node gives nothing back twice.
    let (mut here, admin) = pair.alone().await;
    let before = here.keystead.counters().leases();
    let mut alone = 0;
    while alone < 20 {
        alone += u64::from(verdict(&here.keystead, &admin, &made.key).await == Code::Valid);
    }
    assert_eq!(here.keystead.counters().leases(), before, "alone it counts in memory");
    let there = here.another_node().await;
    let pair = Pair { here, there, admin };
    let (one, other) =
        tokio::join!(pair.passes(&pair.here.keystead, &made.key), pair.passes(&pair.there, &made.key));
    assert!(40 + one + other <= 100, "{one} here, {other} there, and 40 before");
    assert!(one + other >= 30, "{one} here and {other} there: much was forfeited");
    // A stop in order keeps what was counted.
    let Pair { mut here, there, .. } = pair;
    there.close().await;
    here.restart().await;
    assert_eq!(verdict(&here.keystead, &here.admin(), &made.key).await, Code::RateLimited);
}

/// A door of `acme` on a node.
struct AtDoor {
    node: Arc<Keystead>,
    door: Door,
}

impl AtDoor {
    async fn open(node: &Arc<Keystead>, proxy: &Caller) -> Self {
        Self { node: Arc::clone(node), door: node.open_door(proxy).await.unwrap() }
    }

    /// Asks until it is refused; how many requests passed.
    async fn passes(&self, key: Option<&str>, path: &str) -> u64 {
        let header = |key: &str| ("x-api-key".parse::<HeaderName>().unwrap(), key.parse().unwrap());
        let headers = HeaderMap::from_iter(key.map(header));
        let request = Request { method: "GET", path, query: None, headers: &headers, strips_query: false };
        let client = Some("192.0.2.1".parse().unwrap());
        for passed in 0.. {
            if let Answer::Refuse(refusal) = self.node.guard_request(&self.door, &request, client).await {
                assert_eq!(refusal.code, "rate_limited", "after {passed}");
                return passed;
            }
        }
        0
    }
}

/// The limits of a guard's routes, one for each; and the key of its proxy.
async fn guard(pair: &Pair, routes: &[(&str, u64, LimitPer)]) -> Caller {
    let route = |(path, limit, per): &(&str, u64, LimitPer)| GuardRoute {
        path: (*path).into(),
        limits: vec![GuardLimit {
            name: "main".into(),
            limit: *limit,
            window: "1h".into(),
            burst: None,
            per: *per,
        }],
        public: *per == LimitPer::Address || *path == "/open",
        ..GuardRoute::default()
    };
    let rules = Guard { routes: routes.iter().map(route).collect(), ..Guard::new(GuardMode::Enforce) };
    let guarded = pair.here.keystead.set_guard(&pair.admin, "acme", rules, None).await.unwrap();
    let known = async || {
        let there = pair.there.project_guard(&pair.admin, "acme").await;
        there.is_ok_and(|view| view.version == guarded.version)
    };
    assert!(comes(&pair.there, known).await);
    let grant = house::narrowed("keys.verify", &["projects/acme/environments/production"]);
    let proxy = pair.here.key_of(&pair.admin, vec![grant]).await;
    // What a node applies comes in order: who knows a later key knows the guard.
    let later = pair.key(CreateKey::default()).await;
    let reason = RevokeKey { reason: "no longer used".into() };
    pair.here.keystead.revoke_key(&pair.admin, &later.details.id, reason, None).await.unwrap();
    pair.comes_to(&later.key, Code::Revoked).await;
    proxy
}

pub(super) async fn limits_of_routes_are_counted_once_over_both_nodes(pair: Pair) {
    let routes = [
        ("/each", 40, LimitPer::Key),
        ("/all", 50, LimitPer::All),
        ("/open", 60, LimitPer::All),
        ("/from", 7, LimitPer::Address),
    ];
    let proxy = guard(&pair, &routes).await;
    let here = AtDoor::open(&pair.here.keystead, &proxy).await;
    let there = AtDoor::open(&pair.there, &proxy).await;
    let (one, two) = (pair.key(CreateKey::default()).await.key, pair.key(CreateKey::default()).await.key);
    for (path, keys, wanted) in [
        ("/each", [Some(&one), Some(&one)], 40),
        ("/all", [Some(&one), Some(&two)], 50),
        ("/open", [None, None], 60),
        // Each node counts these by itself.
        ("/from", [None, None], 14),
    ] {
        let [first, second] = keys.map(|key| key.map(String::as_str));
        let (here, there) = tokio::join!(here.passes(first, path), there.passes(second, path));
        assert_eq!(here + there, wanted, "{path}: {here} here, {there} there");
    }
}

/// Whoever counts alone goes on from what others counted, also of what it never saw; and a stop in order keeps it.
pub(super) async fn a_route_s_limit_holds_while_nodes_come_and_go(pair: Pair) {
    let proxy = guard(&pair, &[("/each", 20, LimitPer::Key), ("/all", 20, LimitPer::All)]).await;
    let key = pair.key(CreateKey::default()).await.key;
    let there = AtDoor::open(&pair.there, &proxy).await;
    assert_eq!(there.passes(Some(&key), "/each").await, 20);
    let (mut here, _) = pair.alone().await;
    let mut door = AtDoor::open(&here.keystead, &proxy).await;
    assert_eq!(door.passes(Some(&key), "/each").await, 0);
    assert_eq!(door.passes(Some(&key), "/all").await, 20);
    here.restart().await;
    door = AtDoor::open(&here.keystead, &proxy).await;
    for path in ["/each", "/all"] {
        assert_eq!(door.passes(Some(&key), path).await, 0, "{path}");
    }
}

/// LESSONS 7: counts doubled.
pub(super) async fn lesson_7_a_changed_limit_is_neither_reset_nor_multiplied(pair: Pair) {
    let made = pair.key(CreateKey { limits: vec![limit(100)], ..CreateKey::default() }).await;
    for _ in 0..30 {
        assert_eq!(pair.here(&made.key).await, Code::Valid);
        assert_eq!(pair.there(&made.key).await, Code::Valid);
    }
    let update = UpdateKey { limits: Some(vec![limit(80)]), ..UpdateKey::default() };
    pair.here.keystead.update_key(&pair.admin, &made.details.id, update, None).await.unwrap();
    let later = pair.key(CreateKey::default()).await;
    let reason = RevokeKey { reason: "no longer used".into() };
    pair.here.keystead.revoke_key(&pair.admin, &later.details.id, reason, None).await.unwrap();
    pair.comes_to(&later.key, Code::Revoked).await;
    let (here, there) =
        tokio::join!(pair.passes(&pair.here.keystead, &made.key), pair.passes(&pair.there, &made.key));
    assert!((20..=40).contains(&(here + there)), "{here} here, {there} there of what was left");
}

/// LESSONS 3: rotating neither resets nor multiplies; nor does minting.
pub(super) async fn lesson_3_a_lineage_is_counted_once_over_both_nodes(pair: Pair) {
    let made = pair.key(CreateKey { limits: vec![limit(60)], ..CreateKey::default() }).await;
    let parent = pair.here.keystead.identify_holder(&made.key, house::origin()).await.unwrap();
    let minted = pair.here.keystead.mint_key(&parent, MintKey::default()).await.unwrap();
    let rotated = pair
        .here
        .keystead
        .rotate_key(&pair.admin, &made.details.id, RotateKey::default(), None)
        .await
        .unwrap();
    let spend = async |key: &str| {
        let (here, there) =
            tokio::join!(pair.passes(&pair.here.keystead, key), pair.passes(&pair.there, key));
        here + there
    };
    let (old, new, child) = tokio::join!(spend(&made.key), spend(&rotated.created.key), spend(&minted.key));
    assert_eq!(old + new + child, 60, "{old} + {new} + {child}");
}

/// Of a copied folder the new node takes the one that it was copied from for dead, until that gives its
/// next sign of life.
pub(super) async fn a_copied_data_folder_stops_no_node_from_counting(pair: Pair) {
    let made = pair.key(CreateKey { limits: vec![limit(100)], ..CreateKey::default() }).await;
    let (mut here, admin) = pair.alone().await;
    let there = here.another_node_in_a_copied_folder().await;
    let alive = async || (here.keystead.nodes_alive(), there.nodes_alive()) == (2, 2);
    assert!(comes(&there, alive).await, "one takes the other for dead");
    for node in [&here.keystead, &there] {
        assert!(comes(node, async || verdict(node, &admin, &made.key).await == Code::Valid).await);
    }
}

/// Others pass it over after a time that does not depend on how stale each of them may be.
pub(super) async fn who_gives_no_sign_of_life_counts_alone_no_more(pair: Pair) {
    let limited = pair.key(CreateKey { limits: vec![limit(20)], ..CreateKey::default() }).await;
    let free = pair.key(CreateKey::default()).await;
    let (mut here, _) = pair.alone().await;
    here.restart_alone_for(ALONE_MAX).await;
    let (node, admin) = (Arc::clone(&here.keystead), here.admin());
    let verdict = async |key: &CreatedKey| verdict(&node, &admin, &key.key).await;
    for _ in 0..20 {
        assert_eq!(verdict(&limited).await, Code::Valid);
    }
    let mut session = here.session().await;
    // Signs of life wait for this.
    run(&mut session, "BEGIN; UPDATE installation SET value = value WHERE name = 'rates_counted_by'").await;
    here.clock.step(i64::try_from(ALONE_MAX.as_micros()).unwrap());
    assert_eq!(verdict(&limited).await, Code::Unavailable);
    assert_eq!(verdict(&free).await, Code::Valid);
    run(&mut session, "COMMIT").await;
    // It knows what it counted.
    let mut rounds = node.feed();
    loop {
        match verdict(&limited).await {
            Code::Unavailable => rounds.changed().await.unwrap(),
            code => break assert_eq!(code, Code::RateLimited),
        }
    }
}

pub(super) async fn who_was_passed_over_goes_on_from_the_accounts(pair: Pair) {
    let made = pair.key(CreateKey { limits: vec![limit(1_000_000)], ..CreateKey::default() }).await;
    assert_eq!(pair.there(&made.key).await, Code::Valid);
    let (here, admin) = pair.alone().await;
    let node = &here.keystead;
    assert!(comes(node, async || verdict(node, &admin, &made.key).await == Code::Valid).await);
    // Between two of its signs of life another one passed it over, counted all of it, and left in order.
    let all = (here.clock.now().0 + 3_600_000_000) * 1_000;
    let mut session = here.session().await;
    run(
        &mut session,
        &format!(
            "BEGIN; UPDATE installation SET value = '' WHERE name = 'rates_counted_by'; \
             UPDATE rates SET paid_at_ns = {all}; COMMIT"
        ),
    )
    .await;
    assert!(comes(node, async || verdict(node, &admin, &made.key).await == Code::RateLimited).await);
}

/// Two want a share of the same limit while the store is busy, and the first one's client goes away.
pub(super) async fn who_goes_away_leaves_nobody_without_a_share(pair: Pair) {
    let limited = async || pair.key(CreateKey { limits: vec![limit(100)], ..CreateKey::default() }).await;
    let (other, made) = (limited().await, limited().await);
    let mut session = pair.here.session().await;
    run(&mut session, "BEGIN; LOCK TABLE rates IN EXCLUSIVE MODE").await;
    let mut before = Box::pin(pair.here(&other.key));
    assert!((&mut before).now_or_never().is_none());
    let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'rates'::regclass AND NOT granted";
    loop {
        let (waiting,): (i64,) = sqlx::query_as(waits).fetch_one(&mut session).await.unwrap();
        if waiting > 0 {
            break;
        }
    }
    let mut goes = Box::pin(pair.here(&made.key));
    assert!((&mut goes).now_or_never().is_none());
    drop(goes);
    let mut stays = Box::pin(pair.here(&made.key));
    assert!((&mut stays).now_or_never().is_none());
    run(&mut session, "COMMIT").await;
    assert_eq!(tokio::join!(before, stays), (Code::Valid, Code::Valid));
}
