//! Random lives of one lineage: whatever is rotated, completed, cancelled and used when, no key
//! outlives what it had, and all keys together get what one would (LESSONS 2 and 3).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "everything here is a test, or what tests stand on"
)]

mod house;

use house::{House, suite};
use keystead_api::{
    Code, CreateKey, CreatedKey, CreditsSpec, KeyStatus, LimitSpec, Refill, RevokeKey, RotateKey,
    RotationState, Timestamp, UpdateKey, Verify,
};
use keystead_domain::time::{Clock, SECOND};
use keystead_service::Refused;
use keystead_service::caller::Caller;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

suite! {
    life::lessons_2_and_3_hold_for_random_lives,
    at_once::acts_on_both_keys_of_a_rotation_do_not_wait_for_each_other,
}

const STEPS: u32 = 60;

mod life {
    use super::*;

    pub(crate) async fn lessons_2_and_3_hold_for_random_lives(mut house: House) {
        let admin = house.admin();
        house.acme(&admin).await;
        for seed in 0..4 {
            let mut life = Life::begin(&house, &admin, seed).await;
            for _ in 0..STEPS {
                life.step(&mut house, &admin).await;
                life.check(&house, &admin).await;
            }
        }
    }
}

mod at_once {
    use super::*;

    /// Each locks both keys: in other orders, PostgreSQL would end one of them.
    pub(crate) async fn acts_on_both_keys_of_a_rotation_do_not_wait_for_each_other(house: House) {
        let admin = house.admin();
        house.acme(&admin).await;
        let old = house.key(&admin, CreateKey::default()).await.details.id;
        let new = house.keystead.rotate_key(&admin, &old, RotateKey::default(), None).await.unwrap();
        let new = new.created.details.id;
        for round in 1..=20 {
            let update = |limit| UpdateKey {
                limits: Some(vec![LimitSpec {
                    name: "hour".into(),
                    limit,
                    window: "1h".into(),
                    burst: None,
                }]),
                ..UpdateKey::default()
            };
            let (one, other) = tokio::join!(
                house.keystead.update_key(&admin, &old, update(round), None),
                house.keystead.update_key(&admin, &new, update(100 + round), None),
            );
            one.unwrap();
            other.unwrap();
        }
        let [old, new] = [&old, &new].map(|id| house.keystead.show_key(&admin, id));
        let (old, new) = tokio::join!(old, new);
        assert_eq!(old.unwrap().key.limits, new.unwrap().key.limits, "one after the other");
        // Whichever comes first: neither is refused for a deadlock, and the revocation stands.
        for _ in 0..20 {
            let old = house.key(&admin, CreateKey::default()).await;
            let waiting = RotateKey { until_first_use: Some(true), ..RotateKey::default() };
            let new = house.keystead.rotate_key(&admin, &old.details.id, waiting, None).await.unwrap();
            let reason = RevokeKey { reason: "leaked".into() };
            let (used, revoked) = tokio::join!(
                ask(&house, &admin, &new.created.key, false),
                house.keystead.revoke_key(&admin, &old.details.id, reason, None),
            );
            assert_eq!((used.0, revoked.unwrap().status), (Code::Valid, KeyStatus::Revoked));
        }
    }
}

struct Life {
    rng: ChaCha8Rng,
    /// Every key that the lineage ever had.
    keys: Vec<Member>,
    /// One with the same limits, which is never rotated, and asked whenever one of them is.
    control: CreatedKey,
}

struct Member {
    key: String,
    id: String,
    /// When it was to expire when it was made.
    had: Option<Timestamp>,
    ended: bool,
}

impl Member {
    fn of(key: &CreatedKey) -> Self {
        let details = &key.details;
        Self { key: key.key.clone(), id: details.id.clone(), had: details.expires_at, ended: false }
    }
}

impl Life {
    async fn begin(house: &House, admin: &Caller, seed: u64) -> Self {
        let in_seconds = |seconds: i64| house.clock.now().plus(seconds * SECOND).to_timestamp();
        let expires_at = seed.is_multiple_of(2).then(|| in_seconds(20_000));
        let limit = LimitSpec { name: "hour".into(), limit: 20, window: "1h".into(), burst: None };
        let input = if seed < 2 {
            CreateKey { limits: vec![limit], expires_at, ..CreateKey::default() }
        } else {
            let credits = CreditsSpec { remaining: 40, refill: Refill::None, amount: None };
            CreateKey { credits: Some(credits), limits: vec![limit], expires_at, ..CreateKey::default() }
        };
        let (first, control) = (house.key(admin, input.clone()).await, house.key(admin, input).await);
        Self { rng: ChaCha8Rng::seed_from_u64(seed), keys: vec![Member::of(&first)], control }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.rng.next_u64() % u64::try_from(bound).unwrap()).unwrap()
    }

    /// One of the last few keys: most of what can happen happens to them.
    fn any(&mut self) -> usize {
        let among = self.keys.len().min(3);
        self.keys.len() - 1 - self.below(among)
    }

    async fn step(&mut self, house: &mut House, admin: &Caller) {
        let at = self.any();
        let id = self.keys[at].id.clone();
        match self.below(16) {
            0..=2 => {
                let body = match self.below(3) {
                    0 => RotateKey { grace_seconds: Some(self.below(600) as u64), ..RotateKey::default() },
                    1 => RotateKey {
                        until_first_use: Some(true),
                        overlap_seconds: Some(60),
                        ..RotateKey::default()
                    },
                    _ => RotateKey::default(),
                };
                if let Some(new) = done(house.keystead.rotate_key(admin, &id, body, None).await) {
                    self.keys.push(Member::of(&new.created));
                }
            }
            3 => drop(done(house.keystead.complete_rotation(admin, &id).await)),
            4 => drop(done(house.keystead.cancel_rotation(admin, &id).await)),
            5 => house.keystead.tend_rotations().await.unwrap(),
            6 => house.restart().await,
            7..=9 => house.clock.step(i64::try_from(self.below(400)).unwrap() * SECOND),
            _ => self.spend(house, admin, at).await,
        }
    }

    /// What a living key is answered is what one key alone would be.
    async fn spend(&mut self, house: &House, admin: &Caller, at: usize) {
        let code = ask(house, admin, &self.keys[at].key, false).await.0;
        if matches!(code, Code::Expired | Code::Revoked) {
            return;
        }
        let alone = ask(house, admin, &self.control.key, false).await.0;
        if alone != Code::Expired {
            assert_eq!(code, alone, "{} of {}", at, self.keys.len());
        }
        self.settle(house, admin, at).await;
    }

    /// Waits until what a first use has set off is done.
    async fn settle(&self, house: &House, admin: &Caller, at: usize) {
        for _ in 0..10_000 {
            let rotation = house.keystead.show_key(admin, &self.keys[at].id).await.unwrap().rotation;
            let Some(rotation) = rotation.filter(|one| one.new_key_id == self.keys[at].id) else {
                return;
            };
            let old = self.keys.iter().find(|key| key.id == rotation.old_key_id).unwrap();
            let stored = house.keystead.show_key(admin, &old.id).await.unwrap().key.expires_at;
            let resident = ask(house, admin, &old.key, true).await.1;
            // A refused first use sets nothing off.
            let waits = rotation.state == RotationState::WaitingForFirstUse
                && ask(house, admin, &self.keys[at].key, true).await.0 == Code::Valid;
            if !waits && stored == resident {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("what a use set off was never done");
    }

    async fn check(&mut self, house: &House, admin: &Caller) {
        let now = house.clock_now();
        let mut living = 0;
        for member in &mut self.keys {
            let shown = house.keystead.show_key(admin, &member.id).await.unwrap();
            let code = ask(house, admin, &member.key, true).await.0;
            let lives = !matches!(code, Code::Expired | Code::Revoked);
            let end = |at: Option<Timestamp>| at.unwrap_or(Timestamp::MAX);
            assert!(end(shown.key.expires_at) <= end(member.had), "{} was prolonged", member.id);
            assert!(!lives || now < end(member.had), "{} outlives what it had", member.id);
            assert!(!(lives && member.ended), "{} came back", member.id);
            member.ended |= !lives;
            living += u32::from(lives);
        }
        assert!(living <= 2, "{living} keys are valid at once");
    }
}

/// What happened, or `None` where the state of things did not allow it.
fn done<T>(result: Result<T, Refused>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Refused::Conflict { .. }) => None,
        Err(other) => panic!("{other:?}"),
    }
}

/// The verdict's code, and until when the key lives as the keyring knows it.
async fn ask(house: &House, admin: &Caller, key: &str, explain: bool) -> (Code, Option<Timestamp>) {
    let ask = Verify {
        key: key.into(),
        project: Some("acme".into()),
        environment: Some("production".into()),
        explain,
        ..Verify::default()
    };
    // A clock that is moved at the wrong moment makes the node doubt itself for a beat.
    loop {
        let verdict = house.keystead.verify(admin, &ask).await.unwrap();
        if verdict.code != Code::Unavailable {
            return (verdict.code, verdict.expires_at);
        }
        tokio::task::yield_now().await;
    }
}
