//! What is told of keys is what would be told anew, whatever changed since.

use super::*;
use crate::widening::tests::entry;
use arc_swap::ArcSwap;
use keystead_domain::cells::{Catalogue, Flags};
use keystead_domain::ids::{KeyId, MemberId, OwnerId};
use keystead_domain::pattern::Pattern;
use keystead_domain::policy::{Given, Grant};
use keystead_domain::special::{ParentCell, Special};

/// What is told of a key with this grant.
pub(crate) fn told(pattern: &'static str) -> Arc<Described> {
    let key = entry(&[(pattern, false, None)], None, None);
    Arc::new(Described::new(&key, Of::new(&key, 0)))
}

fn other_id(entry: &Entry) -> Entry {
    Entry { id: KeyId::from_slice(b"000000000002").unwrap(), ..entry.clone() }
}

fn with_grant(entry: &Entry, pattern: &str) -> Arc<Policy> {
    let grants =
        Box::new([Grant { given: Given::Permission(Pattern::parse(pattern).unwrap()), resources: None }]);
    let Policy { restrictions, rules, .. } = &*entry.policy;
    Arc::new(Policy { grants, restrictions: restrictions.clone(), rules: rules.clone() })
}

#[test]
fn keys_that_share_everything_share_what_is_told() {
    let (descriptions, directory) = (Descriptions::default(), Directory::default());
    let key = entry(&[("a.**", false, None)], None, None);
    let first = descriptions.of(&key, &directory);
    assert!(Arc::ptr_eq(&first, &descriptions.of(&key, &directory)));
    assert!(Arc::ptr_eq(&first, &descriptions.of(&other_id(&key), &directory)));
    assert_eq!(first.permissions[..], held_permissions(&key).0);
}

#[test]
fn another_key_is_told_of_by_itself() {
    let (descriptions, directory) = (Descriptions::default(), Directory::default());
    let key = entry(&[("a.**", false, None)], None, None);
    let before = descriptions.of(&key, &directory);
    let stranger = entry(&[("a.**", false, None)], None, None);
    for other in [
        Entry { policy: with_grant(&key, "b.a"), ..key.clone() },
        Entry { kind: KeyKind::Public, ..key.clone() },
        Entry { consumer: None, ..key.clone() },
        Entry { owner: stranger.owner, ..key.clone() },
        Entry { place: stranger.place, ..key.clone() },
    ] {
        let told = descriptions.of(&other, &directory);
        assert!(!Arc::ptr_eq(&before, &told));
        assert_eq!(told.permissions[..], held_permissions(&other).0);
        assert!(Arc::ptr_eq(&before, &descriptions.of(&key, &directory)), "it stays beside others");
    }
}

#[test]
fn a_change_of_what_keys_share_is_told_at_once() {
    let (descriptions, directory) = (Descriptions::default(), Directory::default());
    let key = entry(&[("a.**", false, None)], None, None);
    let before = descriptions.of(&key, &directory);
    let mut catalogue = Catalogue::default();
    catalogue.insert("a.new", Flags::default());
    {
        let _changing = directory.changing();
        key.place.project.catalogue.store(Arc::new(catalogue));
    }
    let after = descriptions.of(&key, &directory);
    assert_eq!(after.permissions[..], ["a.new".to_owned()]);
    assert_ne!(before.permissions, after.permissions);
}

#[test]
fn a_change_of_the_key_that_it_was_minted_from_is_told_at_once() {
    let (descriptions, directory) = (Descriptions::default(), Directory::default());
    let parent = entry(&[("**", false, None)], None, None);
    let cell = Arc::new(ParentCell::new(parent.id, Some(parent.clone())));
    let special = Special { minted: Some(Arc::clone(&cell)), ..Special::default() };
    let child = Entry { special: Some(Arc::new(special)), ..other_id(&parent) };
    let before = descriptions.of(&child, &directory);
    assert_eq!(before.permissions.len(), 9);
    assert!(Arc::ptr_eq(&before, &descriptions.of(&child, &directory)));
    cell.set(Some(Entry { policy: with_grant(&parent, "b.a"), ..parent }));
    assert_eq!(descriptions.of(&child, &directory).permissions[..], ["b.a".to_owned()]);
    cell.set(None);
    assert!(descriptions.of(&child, &directory).permissions.is_empty());
}

#[test]
fn a_digest_is_of_all_that_is_told_and_of_nothing_else() {
    let of = |key: &Entry| Described::new(key, Of::new(key, 0)).digest().unwrap();
    let key = entry(&[("a.**", false, None)], None, None);
    assert_eq!(of(&key), of(&other_id(&key)));
    assert_eq!(of(&key), Described::new(&key, Of::new(&key, 1)).digest().unwrap());
    let narrowed = entry(&[("a.**", false, Some(vec!["networks/NET-7"]))], None, None);
    let owner = Principal {
        id: OwnerId::Member(MemberId([9; 16])),
        organization: key.owner.organization,
        state: ArcSwap::new(key.owner.state.load_full()),
    };
    for other in [
        Entry { policy: with_grant(&key, "b.a"), ..key.clone() },
        Entry { policy: narrowed.policy, ..key.clone() },
        Entry { consumer: None, ..key.clone() },
        Entry { owner: Arc::new(owner), ..key.clone() },
    ] {
        assert_ne!(of(&key), of(&other));
    }
}

#[test]
fn what_it_was_made_of_is_not_kept_alive_and_its_place_is_nobody_elses() {
    let (descriptions, directory) = (Descriptions::default(), Directory::default());
    let mut key = entry(&[("a.**", false, None)], None, None);
    for at in 0..100 {
        let (pattern, others) = if at % 2 == 0 { ("b.a", "a.a") } else { ("a.a", "b.a") };
        let before = Arc::downgrade(&key.policy);
        key.policy = with_grant(&key, pattern);
        let told = descriptions.of(&key, &directory);
        assert!(told.permissions.iter().any(|name| name == pattern));
        assert!(told.permissions.iter().all(|name| name != others));
        assert!(before.upgrade().is_none());
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let directory = Directory::default();
    let each = told("a.**").bytes();
    let descriptions = Descriptions::of_at_most(SHARDS * each * 2);
    let keys: Vec<Entry> = (0..1_000).map(|_| entry(&[("a.**", false, None)], None, None)).collect();
    for key in &keys {
        assert_eq!(descriptions.of(key, &directory).permissions.len(), 4);
    }
    for shard in &descriptions.shards {
        let shard = shard.read();
        assert!((1..=2).contains(&shard.kept.len()));
        assert_eq!(shard.bytes, shard.kept.len() * each);
    }
    let none = Descriptions::of_at_most(0);
    assert_eq!(none.of(&keys[0], &directory).permissions.len(), 4);
    assert!(none.shards.iter().all(|shard| shard.read().kept.is_empty()));
}
