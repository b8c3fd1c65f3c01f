//! Two nodes on one PostgreSQL database: what one changes holds on the other. Without
//! `KEYSTEAD_TEST_POSTGRES` these tests say so and pass.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what is built here is built for the tests below"
)]

mod house;
#[path = "nodes/limits.rs"]
mod limits;
#[path = "nodes/policies.rs"]
mod policies;

use house::House;
use keystead_api::*;
use keystead_domain::ids::KeyId;
use keystead_domain::token::PlainKey;
use keystead_service::Keystead;
use keystead_service::caller::Caller;
use keystead_store::testing::{POSTGRES_VARIABLE, postgres};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use std::sync::Arc;

/// Two nodes, `here` and `there`, and the administrator's key.
struct Pair {
    here: House,
    there: Arc<Keystead>,
    admin: Caller,
}

macro_rules! on_two_nodes {
    ($($module:ident :: $name:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let Some(store) = postgres().await else {
                println!("not run: {POSTGRES_VARIABLE} is not set");
                return;
            };
            let mut here = House::open(store).await;
            let admin = here.admin();
            here.acme(&admin).await;
            let there = here.another_node().await;
            $module::$name(Pair { here, there, admin }).await;
        }
    )*};
}

on_two_nodes! {
    tests::a_key_made_here_works_there_at_once,
    tests::a_new_environment_owner_and_role_are_known_there_with_the_key,
    tests::an_imported_key_works_there_also_one_with_a_slow_digest,
    tests::lesson_1_a_revocation_here_holds_there,
    tests::lesson_1_a_key_that_nobody_has_used_for_long_is_refused_there_too,
    tests::lesson_12_a_change_that_commits_late_holds_there,
    tests::lesson_12_a_changed_owner_stops_its_keys_there,
    tests::people_and_their_teams_are_followed_there,
    tests::unknown_keys_cost_a_bounded_number_of_questions,
    tests::a_node_that_was_left_behind_loads_everything_anew,
    tests::lesson_8_credits_spent_on_both_nodes_are_never_over_spent,
    tests::lesson_8_new_credits_replace_what_the_other_node_still_holds,
    tests::nodes_see_each_other_and_leave,
    tests::a_newer_schema_comes_under_running_nodes,
    tests::a_token_that_nobody_knows_costs_one_question_however_many_import,
    policies::policies_are_followed_there,
    limits::a_limit_is_counted_once_over_both_nodes,
    limits::a_limit_holds_while_nodes_come_and_go,
    limits::limits_of_routes_are_counted_once_over_both_nodes,
    limits::a_route_s_limit_holds_while_nodes_come_and_go,
    limits::lesson_7_a_changed_limit_is_neither_reset_nor_multiplied,
    limits::lesson_3_a_lineage_is_counted_once_over_both_nodes,
    limits::a_copied_data_folder_stops_no_node_from_counting,
    limits::who_gives_no_sign_of_life_counts_alone_no_more,
    limits::who_was_passed_over_goes_on_from_the_accounts,
    limits::who_goes_away_leaves_nobody_without_a_share,
    tests::a_key_that_a_bulk_act_cannot_do_is_left_as_it_was,
}

impl Pair {
    async fn key(&self, input: CreateKey) -> CreatedKey {
        self.here.key(&self.admin, input).await
    }

    async fn there(&self, key: &str) -> Code {
        verdict(&self.there, &self.admin, key).await
    }

    async fn here(&self, key: &str) -> Code {
        verdict(&self.here.keystead, &self.admin, key).await
    }

    async fn comes_to(&self, key: &str, code: Code) {
        let came = comes(&self.there, async || self.there(key).await == code).await;
        assert!(came, "{} instead of {code}", self.there(key).await);
    }
}

/// Whether it comes to that, looked at after each round in which the node follows the feed: how fast is a
/// bench's business.
async fn comes(node: &Keystead, holds: impl AsyncFn() -> bool) -> bool {
    let mut rounds = node.feed();
    for _ in 0..6_000 {
        if holds().await {
            return true;
        }
        rounds.changed().await.unwrap();
    }
    false
}

/// What lets somebody make keys, and use a role of `acme` with them.
fn granted(role: &str) -> Vec<AuthorityGrant> {
    let own = AuthorityGrant { permission: Some("keys.own".into()), ..AuthorityGrant::default() };
    let role =
        AuthorityGrant { role: Some(role.into()), project: Some("acme".into()), ..AuthorityGrant::default() };
    vec![own, role]
}

async fn verdict(node: &Arc<Keystead>, admin: &Caller, key: &str) -> Code {
    let ask = Verify {
        key: key.into(),
        project: Some("acme".into()),
        environment: Some("production".into()),
        ..Verify::default()
    };
    node.verify(admin, &ask).await.unwrap().code
}

async fn run(session: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(session).await.unwrap();
}

fn quoted(id: &str) -> String {
    id.strip_prefix("key_").unwrap().bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Revokes a key behind everybody's back.
fn revoke_and_tell(id: &str) -> String {
    let id = quoted(id);
    format!(
        "UPDATE keys SET revoked_at = 1 WHERE id = '\\x{id}'; \
         INSERT INTO feed (at, organization_id, kind, target) \
         SELECT 0, organization_id, 'key', id FROM keys WHERE id = '\\x{id}'"
    )
}

fn credits(remaining: u64) -> CreditsSpec {
    CreditsSpec { remaining, refill: Refill::None, amount: None }
}

/// What is left of a key's credits, by the store.
async fn remaining(house: &House, made: &CreatedKey) -> u64 {
    let shown = house.keystead.show_key(&house.admin(), &made.details.id).await.unwrap();
    shown.key.credits.unwrap().remaining
}

/// A key that exists elsewhere.
fn imported(algorithm: HashAlgorithm, value: &str, prefix: Option<&str>) -> ImportKey {
    let key = CreateKey { name: "Old".into(), environment: "production".into(), ..CreateKey::default() };
    let hash = Some(ImportHash { algorithm, value: value.into() });
    ImportKey { external_id: None, hash, plain: None, prefix: prefix.map(Into::into), key }
}

/// A well-formed key that was never issued.
fn unknown_key(seed: u64) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(1_000_000 + seed);
    let id = KeyId::random(&mut rng);
    PlainKey::mint("acme", "live", id, &mut rng).expose().to_owned()
}

mod tests {
    use super::*;

    pub(super) async fn a_key_made_here_works_there_at_once(pair: Pair) {
        for _ in 0..20 {
            let made = pair.key(CreateKey::default()).await;
            assert_eq!(pair.there(&made.key).await, Code::Valid);
        }
        // So does a key of Keystead's own API.
        let input = CreateKey {
            name: "Manages".into(),
            environment: "production".into(),
            permissions: house::everywhere(&["keys.read"]),
            ..CreateKey::default()
        };
        let made = pair.here.keystead.create_key(&pair.admin, "keystead", input).await.unwrap();
        pair.there.recognise(&made.key, house::origin()).await.unwrap();
    }

    pub(super) async fn a_new_environment_owner_and_role_are_known_there_with_the_key(pair: Pair) {
        let Pair { here, admin, .. } = &pair;
        let role = here.role(admin, "acme", "reader", &["routes.read"]).await.unwrap();
        let consumer = here.consumer(admin, "Customer", None).await.unwrap();
        let input = CreateKey {
            roles: vec![RoleGrant::Everywhere(role.name)],
            consumer: Some(consumer.id),
            ..CreateKey::default()
        };
        let made = pair.key(input).await;
        let ask = Verify {
            key: made.key,
            project: Some("acme".into()),
            environment: Some("production".into()),
            permissions: Some(PermissionQuery::One("routes.read".into())),
            ..Verify::default()
        };
        assert_eq!(pair.there.verify(admin, &ask).await.unwrap().code, Code::Valid);
    }

    pub(super) async fn an_imported_key_works_there_also_one_with_a_slow_digest(pair: Pair) {
        let fast = "sk_live_51HabcDEFghiJKL9mnoPQR";
        let sha256 = "2322daa2c498dd75bfb72513b54443a41de98b1a611fc76f139082fe284c1166";
        // A test vector of bcrypt.
        let slow = "abcdefghijklmnopqrstuvwxyz";
        let bcrypt = "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC";
        let items = vec![
            imported(HashAlgorithm::Sha256, sha256, None),
            imported(HashAlgorithm::Bcrypt, bcrypt, Some("abcdef")),
        ];
        let input = ImportKeys { items, dry_run: false };
        let taken = pair.here.keystead.import_keys(&pair.admin, "acme", input).await.unwrap();
        for (token, one) in [fast, slow].into_iter().zip(&taken.items) {
            let id = one.id.as_ref().unwrap();
            pair.comes_to(token, Code::Valid).await;
            // Its first use there upgrades it here, and nothing is lost between.
            assert_eq!(pair.here(token).await, Code::Valid);
            let reason = RevokeKey { reason: "stolen".into() };
            pair.here.keystead.revoke_key(&pair.admin, id, reason, None).await.unwrap();
            pair.comes_to(token, Code::Revoked).await;
            pair.here.keystead.delete_key(&pair.admin, id, None).await.unwrap();
            pair.comes_to(token, Code::Malformed).await;
        }
    }

    pub(super) async fn lesson_1_a_revocation_here_holds_there(pair: Pair) {
        let made = pair.key(CreateKey::default()).await;
        assert_eq!(pair.there(&made.key).await, Code::Valid);
        let reason = RevokeKey { reason: "stolen".into() };
        pair.here.keystead.revoke_key(&pair.admin, &made.details.id, reason, None).await.unwrap();
        assert_eq!(pair.here(&made.key).await, Code::Revoked);
        pair.comes_to(&made.key, Code::Revoked).await;
    }

    pub(super) async fn lesson_1_a_key_that_nobody_has_used_for_long_is_refused_there_too(pair: Pair) {
        let made = pair.key(CreateKey::default()).await;
        pair.here.clock.step(700 * 1_000_000);
        let reason = RevokeKey { reason: "stolen".into() };
        pair.here.keystead.revoke_key(&pair.admin, &made.details.id, reason, None).await.unwrap();
        // Its change is heard of before it is asked about for the first time.
        let other = pair.key(CreateKey::default()).await;
        let update = UpdateKey { name: Some("Changed later".into()), ..UpdateKey::default() };
        pair.here.keystead.update_key(&pair.admin, &other.details.id, update, None).await.unwrap();
        pair.comes_to(&made.key, Code::Revoked).await;
    }

    /// A transaction with a smaller number in the feed commits after one with a greater: the reader
    /// must not have gone past it.
    pub(super) async fn lesson_12_a_change_that_commits_late_holds_there(pair: Pair) {
        let (late, early) = (pair.key(CreateKey::default()).await, pair.key(CreateKey::default()).await);
        assert_eq!(pair.there(&late.key).await, Code::Valid);
        let mut session = pair.here.session().await;
        run(&mut session, &format!("BEGIN; {}", revoke_and_tell(&late.details.id))).await;
        let reason = RevokeKey { reason: "stolen".into() };
        pair.here.keystead.revoke_key(&pair.admin, &early.details.id, reason, None).await.unwrap();
        pair.comes_to(&early.key, Code::Revoked).await;
        assert_eq!(pair.there(&late.key).await, Code::Valid);
        run(&mut session, "COMMIT").await;
        pair.comes_to(&late.key, Code::Revoked).await;
    }

    pub(super) async fn lesson_12_a_changed_owner_stops_its_keys_there(pair: Pair) {
        let consumer = pair.here.consumer(&pair.admin, "Customer", None).await.unwrap();
        let made = pair.key(CreateKey { consumer: Some(consumer.id.clone()), ..CreateKey::default() }).await;
        assert_eq!(pair.there(&made.key).await, Code::Valid);
        let off = UpdateConsumer { disabled: Some(true), ..UpdateConsumer::default() };
        pair.here.keystead.update_consumer(&pair.admin, "acme", &consumer.id, off, None).await.unwrap();
        pair.comes_to(&made.key, Code::Disabled).await;
    }

    pub(super) async fn people_and_their_teams_are_followed_there(pair: Pair) {
        let Pair { here, admin, .. } = &pair;
        let role = here.role(admin, "acme", "reader", &["routes.read"]).await.unwrap();
        let team =
            CreateTeam { name: "routing".into(), grants: granted(&role.name), ..CreateTeam::default() };
        here.keystead.create_team(admin, team).await.unwrap();
        let ann = CreateMember {
            email: "ann@example.net".into(),
            name: "Ann".into(),
            teams: vec!["routing".into()],
            ..CreateMember::default()
        };
        let ann = here.keystead.create_member(admin, ann).await.unwrap();
        let own = CreateKey {
            name: "Ann".into(),
            environment: "production".into(),
            permissions: crate::house::everywhere(&["**"]),
            ..CreateKey::default()
        };
        let own = here.keystead.create_key(admin, "keystead", own).await.unwrap();
        let hand_over = UpdateKey { owner: Some(ann.id.clone()), ..UpdateKey::default() };
        here.keystead.update_key(admin, &own.details.id, hand_over, None).await.unwrap();
        let own = here.caller(&own.key);
        let input = CreateKey {
            name: "Mine".into(),
            environment: "production".into(),
            team: Some("routing".into()),
            roles: vec![RoleGrant::Everywhere(role.name)],
            ..CreateKey::default()
        };
        let made = here.keystead.create_key(&own, "acme", input).await.unwrap();
        // Its member, team and seat are read with it: the feed may not have brought them.
        let reads = async |key: &str| {
            let ask = Verify {
                key: key.into(),
                project: Some("acme".into()),
                environment: Some("production".into()),
                permissions: Some(PermissionQuery::One("routes.read".into())),
                ..Verify::default()
            };
            pair.there.verify(admin, &ask).await.unwrap().code
        };
        assert_eq!(reads(&made.key).await, Code::Valid);
        here.keystead.leave_team(admin, "routing", &ann.id).await.unwrap();
        pair.comes_to(&made.key, Code::Disabled).await;
        here.keystead.join_team(admin, "routing", &ann.id).await.unwrap();
        pair.comes_to(&made.key, Code::Valid).await;
        let nothing = UpdateTeam { grants: Some(Vec::new()), ..UpdateTeam::default() };
        here.keystead.update_team(admin, "routing", nothing, None).await.unwrap();
        let came = comes(&pair.there, async || reads(&made.key).await == Code::InsufficientPermissions).await;
        assert!(came);
        let off = UpdateMember { disabled: Some(true), ..UpdateMember::default() };
        here.keystead.update_member(admin, &ann.id, off, None).await.unwrap();
        pair.comes_to(&made.key, Code::Disabled).await;
    }

    pub(super) async fn unknown_keys_cost_a_bounded_number_of_questions(pair: Pair) {
        let made = pair.key(CreateKey::default()).await;
        let before = pair.there.counters().seeks();
        for seed in 0..1_000 {
            assert_eq!(pair.there(&unknown_key(seed)).await, Code::NotFound);
        }
        // The clock stands still: a second's worth of questions, no more.
        assert_eq!(pair.there.counters().seeks() - before, 200);
        // What was made meanwhile comes with the feed.
        pair.comes_to(&made.key, Code::Valid).await;
    }

    pub(super) async fn a_node_that_was_left_behind_loads_everything_anew(pair: Pair) {
        let (revoked, stays) = (pair.key(CreateKey::default()).await, pair.key(CreateKey::default()).await);
        assert_eq!(pair.there(&revoked.key).await, Code::Valid);
        let mut session = pair.here.session().await;
        // Written and trimmed away before anybody could read it.
        run(
            &mut session,
            &format!(
                "BEGIN; {}; INSERT INTO installation (name, value) \
                 SELECT 'feed_trimmed_to', CAST(max(seq) AS TEXT) FROM feed; DELETE FROM feed; COMMIT",
                revoke_and_tell(&revoked.details.id)
            ),
        )
        .await;
        pair.comes_to(&revoked.key, Code::Revoked).await;
        pair.comes_to(&stays.key, Code::Valid).await;
    }

    pub(super) async fn lesson_8_credits_spent_on_both_nodes_are_never_over_spent(pair: Pair) {
        let made = pair.key(CreateKey { credits: Some(credits(200)), ..CreateKey::default() }).await;
        let spend = async |node: &Arc<Keystead>, times: u32| {
            let mut passed = 0;
            for _ in 0..times {
                passed += u64::from(verdict(node, &pair.admin, &made.key).await == Code::Valid);
            }
            passed
        };
        let (here, there) = tokio::join!(spend(&pair.here.keystead, 60), spend(&pair.there, 60));
        assert_eq!(here + there, 120, "there are enough of them for both");
        // Both stop in order: what they had leased and not spent is there again.
        let Pair { mut here, there, .. } = pair;
        there.close().await;
        here.restart().await;
        assert_eq!(remaining(&here, &made).await, 80);
        let (admin, there) = (here.admin(), here.another_node().await);
        let spend = async |node: &Arc<Keystead>| {
            let mut passed = 0;
            for _ in 0..100 {
                passed += u64::from(verdict(node, &admin, &made.key).await == Code::Valid);
            }
            passed
        };
        let (first, second) = tokio::join!(spend(&here.keystead), spend(&there));
        assert!(first + second <= 80, "{first} + {second}");
        there.close().await;
        here.restart().await;
        assert_eq!(remaining(&here, &made).await, 80 - first - second);
    }

    /// Sealing the new key is refused after the old one's end was written.
    pub(super) async fn a_key_that_a_bulk_act_cannot_do_is_left_as_it_was(pair: Pair) {
        let Pair { here, there, admin } = &pair;
        let permission = CreatePermission {
            name: "pages.read".into(),
            description: String::new(),
            public_safe: true,
            sensitive: false,
        };
        here.keystead.create_permission(admin, "acme", permission).await.unwrap();
        let restrictions =
            Restrictions { origins: vec!["https://example.com".into()], ..Restrictions::default() };
        let permissions = house::everywhere(&["pages.read"]);
        let public = CreateKey { kind: KeyKind::Public, permissions, restrictions, ..CreateKey::default() };
        let (public, private) = (pair.key(public).await, pair.key(CreateKey::default()).await);
        here.keystead.rotate_root_key(admin).await.unwrap();
        let both = serde_json::json!({"action": "rotate", "filter": {}, "expected_count": 2});
        let both: BulkKeys = serde_json::from_value(both).unwrap();
        let outcome = there.bulk_keys(admin, "acme", both).await.unwrap();
        assert_eq!(
            outcome.rotated.iter().map(|new| &new.replaces).collect::<Vec<_>>(),
            [&private.details.id]
        );
        assert_eq!(outcome.refused.iter().map(|one| &one.id).collect::<Vec<_>>(), [&public.details.id]);
        let left = here.keystead.show_key(admin, &public.details.id).await.unwrap();
        assert_eq!(left.key, public.details, "nothing of it was written");
        let listed = here.keystead.find_keys(admin, "acme", &KeyQuery::default()).await.unwrap().items;
        assert_eq!(listed.len(), 3, "the two, and the one that takes over");
    }

    /// What the next version may do to the schema while this one runs: a step with a number of its own,
    /// a column, a table, and news of a kind that only it knows.
    pub(super) async fn a_newer_schema_comes_under_running_nodes(pair: Pair) {
        let made = pair.key(CreateKey::default()).await;
        let mut session = pair.here.session().await;
        run(
            &mut session,
            "BEGIN; INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, \
             execution_time) SELECT 9999, 'made up', installed_on, success, checksum, 0 FROM _sqlx_migrations \
             WHERE version = 1; \
             ALTER TABLE keys ADD COLUMN novelty TEXT; \
             ALTER TABLE nodes ADD COLUMN novelty BIGINT NOT NULL DEFAULT 0; \
             CREATE TABLE novelties (id BYTEA NOT NULL PRIMARY KEY); \
             INSERT INTO feed (at, organization_id, kind, target) \
             SELECT 0, organization_id, 'novelty', id FROM keys LIMIT 1; COMMIT",
        )
        .await;
        assert_eq!(pair.there(&made.key).await, Code::Valid);
        let later = pair.key(CreateKey { credits: Some(credits(5)), ..CreateKey::default() }).await;
        assert_eq!(pair.there(&later.key).await, Code::Valid);
        let reason = RevokeKey { reason: "stolen".into() };
        pair.here.keystead.revoke_key(&pair.admin, &made.details.id, reason, None).await.unwrap();
        pair.comes_to(&made.key, Code::Revoked).await;
        // A node of this version that starts now works on it, too.
        let Pair { mut here, there, .. } = pair;
        let third = here.another_node().await;
        let admin = here.admin();
        assert_eq!(verdict(&third, &admin, &later.key).await, Code::Valid);
        assert_eq!(verdict(&third, &admin, &made.key).await, Code::Revoked);
        third.close().await;
        there.close().await;
        here.restart().await;
        assert_eq!(verdict(&here.keystead, &here.admin(), &later.key).await, Code::Valid);
    }

    pub(super) async fn nodes_see_each_other_and_leave(pair: Pair) {
        let Pair { here, there, admin } = &pair;
        let list = async |node: &Arc<Keystead>| node.list_nodes(admin).await.unwrap().items;
        let (from_here, from_there) = (list(&here.keystead).await, list(there).await);
        assert_eq!((from_here.len(), from_there.len()), (2, 2));
        let this = |nodes: &[Node]| nodes.iter().filter(|node| node.is_this).map(|n| n.id.clone()).collect();
        let (one, other): (Vec<_>, Vec<_>) = (this(&from_here), this(&from_there));
        assert_eq!((one.len(), other.len()), (1, 1));
        assert_ne!(one, other);
        assert!(comes(there, async || (here.keystead.nodes_alive(), there.nodes_alive()) == (2, 2)).await);
        Arc::clone(there).close().await;
        assert_eq!(list(&here.keystead).await.len(), 1, "who stops in order leaves at once");
        assert!(comes(&here.keystead, async || here.keystead.nodes_alive() == 1).await);
    }

    pub(super) async fn lesson_8_new_credits_replace_what_the_other_node_still_holds(pair: Pair) {
        let made = pair.key(CreateKey { credits: Some(credits(1_000)), ..CreateKey::default() }).await;
        // It holds a block of a hundred.
        assert_eq!(pair.there(&made.key).await, Code::Valid);
        let update = UpdateKey { credits: Some(Some(credits(3))), ..UpdateKey::default() };
        pair.here.keystead.update_key(&pair.admin, &made.details.id, update, None).await.unwrap();
        // Another key's change comes after it.
        let later = pair.key(CreateKey::default()).await;
        let reason = RevokeKey { reason: "no longer used".into() };
        pair.here.keystead.revoke_key(&pair.admin, &later.details.id, reason, None).await.unwrap();
        pair.comes_to(&later.key, Code::Revoked).await;
        let mut passed = 0;
        for _ in 0..10 {
            passed += u32::from(pair.there(&made.key).await == Code::Valid);
        }
        assert_eq!(passed, 3);
        let Pair { mut here, there, .. } = pair;
        there.close().await;
        here.restart().await;
        assert_eq!(remaining(&here, &made).await, 0, "the old block was not given to the new account");
    }

    /// What anybody can ask must not use up the questions that nodes ask for keys of each other.
    pub(super) async fn a_token_that_nobody_knows_costs_one_question_however_many_import(pair: Pair) {
        let tenant = pair.here.tenant("tenant").await;
        pair.here.acme(&tenant).await;
        let sha256 = "2322daa2c498dd75bfb72513b54443a41de98b1a611fc76f139082fe284c1166";
        for admin in [&pair.admin, &tenant] {
            let items = vec![imported(HashAlgorithm::Sha256, sha256, None)];
            pair.here
                .keystead
                .import_keys(admin, "acme", ImportKeys { items, dry_run: false })
                .await
                .unwrap();
        }
        let before = pair.here.keystead.counters().seeks();
        let found = pair.here.keystead.identify_holder(&unknown_key(1), house::origin()).await;
        assert!(found.is_err());
        assert_eq!(pair.here.keystead.counters().seeks() - before, 1);
    }
}
