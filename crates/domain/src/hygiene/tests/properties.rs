//! What holds of every key, whatever was observed of it.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn a_held() -> impl Strategy<Value = Held> {
    let resource = "[!-~]{1,8}";
    (0..9_u8, prop::collection::vec(resource, 0..3), any::<bool>(), -100..100_i64, any::<bool>()).prop_map(
        |(name, resources, sensitive, since, use_is_recorded)| Held {
            name: format!("p{name}"),
            resources,
            sensitive,
            since: ago(since),
            use_is_recorded,
        },
    )
}

fn some_sightings(value: &'static str) -> impl Strategy<Value = Vec<Sighting>> {
    prop::collection::vec((value, 0..50_u64, -10..100_i64), 0..16).prop_map(|mut list| {
        list.sort_by_key(|(_, _, days)| *days);
        list.iter().map(|(value, count, days)| sighting(value, *count, ago(*days))).collect()
    })
}

fn a_seen() -> impl Strategy<Value = Seen> {
    let last = || prop::option::of((-10..200_i64).prop_map(|days| ago(days).to_timestamp()));
    let lists = (some_sightings("[ -~]{0,12}"), some_sightings("[ -~]{0,12}"), some_sightings("p[0-8]"));
    let unnamed = prop::option::of(0..2_u64);
    (last(), 0..40_u64, unnamed, 0..3_u64, lists).prop_map(
        |(last, passed, passed_unnamed, refused, (networks, agents, permissions))| Seen {
            last_used_at: last,
            passed,
            passed_unnamed,
            refused,
            networks,
            user_agents: agents,
            permissions,
            ..Seen::default()
        },
    )
}

/// How a POSIX shell splits what has no other quotes than single ones; `None` where it would do more than that.
fn shell_words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            _ if quoted => word.push(c),
            ' ' => words.push(std::mem::take(&mut word)),
            _ if c.is_ascii_alphanumeric() || "._-/:@=".contains(c) => word.push(c),
            _ => return None,
        }
    }
    words.push(word);
    (!quoted).then_some(words)
}

proptest! {
    #[test]
    fn what_is_found_is_certain_and_what_it_says_can_be_pasted(
        held in prop::collection::vec(a_held(), 0..9),
        seen in a_seen(),
        (kind, flags) in (0..4_usize, any::<[bool; 9]>()),
        days in -50..300_i64,
    ) {
        let [holds_all, has_roles, has_networks, has_limits, lost, unwatched, has_minted, ends, described] = flags;
        let facts = HygieneFacts {
            kind: KeyKind::ALL[kind], usable_from: ago(days), created_at: ago(days), holds_all, has_roles,
            has_networks, has_limits, has_minted, use_is_recorded: !unwatched,
            expires_at: ends.then_some(NOW),
            overflowed: Overflowed { permissions: lost, ..Overflowed::default() },
            owner: OwnerFacts::ServiceAccount { id: "sa_1", of_project: true, is_described: described },
            ..good(&held, &seen)
        };
        let found = judge(&facts);
        let codes: BTreeSet<_> = found.iter().map(|finding| finding.code).collect();
        prop_assert_eq!(codes.len(), found.len(), "a finding is there once");
        prop_assert!(found.is_sorted_by(|one, other| one.severity >= other.severity));
        let sum: u32 = found.iter().map(|finding| finding.weight).sum();
        prop_assert_eq!(key_score(&found), 100 - sum.min(100));
        prop_assert!(!(codes.contains(&HygieneCode::NeverUsed) && seen.passed > 0));
        prop_assert!(!(codes.contains(&HygieneCode::NeverUsed) && codes.contains(&HygieneCode::Dormant)));
        if days < 30 {
            prop_assert!(!codes.contains(&HygieneCode::NeverUsed) && !codes.contains(&HygieneCode::Dormant));
        }
        for finding in &found {
            prop_assert_eq!(finding.weight, weight(finding.severity));
            prop_assert!(finding.detail.ends_with('.') && finding.fix.ends_with('.'));
            if finding.code == HygieneCode::OverPrivileged {
                prop_assert!(!lost && seen.passed > 0 && seen.passed_unnamed == Some(0));
                for name in &finding.evidence.permissions {
                    prop_assert!(held.iter().any(|held| held.name == *name && held.since <= ago(30)));
                    prop_assert!(seen.permissions.iter().all(|one| one.value != *name));
                }
            }
            if let Some(command) = &finding.command {
                let words = shell_words(command);
                prop_assert!(words.is_some(), "{}", command);
                prop_assert_eq!(&words.unwrap()[0], "keystead");
            }
        }
    }

    #[test]
    fn parts_add_up_to_the_whole(keys in prop::collection::vec(a_seen(), 0..6), at in 0..6_usize) {
        let findings = |seen: &Seen| judge(&HygieneFacts { has_networks: false, ..good(&[], seen) });
        let sum = |keys: &[Seen]| {
            let mut counts = HygieneCounts::default();
            keys.iter().for_each(|seen| count(&mut counts, &findings(seen)));
            counts
        };
        let (first, second) = keys.split_at(at.min(keys.len()));
        let mut together = sum(first);
        add(&mut together, &sum(second));
        prop_assert_eq!(&together, &sum(&keys));
        prop_assert!(whole_score(&together) <= 100);
    }
}
