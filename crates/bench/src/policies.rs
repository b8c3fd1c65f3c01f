//! What policies cost a verification: of a key that none is about, of one of which it is known what they say, and of
//! one for which Cedar is asked at each request. In turns, over the same without policies.

use crate::figure::Figure;
use crate::measure::{median, timed};
use crate::population::{self, NOW, SCOPE};
use crate::say;
use anyhow::{Context, Result, ensure};
use keystead_api::Code;
use keystead_domain::conditions::Conditions;
use keystead_domain::decide::{Ask, Decision};
use keystead_domain::ids::{AccessPolicyId, TeamId};
use keystead_policies::{AccessPolicy, Known, Language, Rules, Source};
use keystead_service::keyring::Keyring;
use std::hint::black_box;
use std::sync::{Arc, LazyLock};

const KEYS: usize = 10_000;
/// Requests timed together, of as many keys.
const BATCH: usize = 512;
const ROUNDS: usize = 600;

static LANGUAGE: LazyLock<Result<Language, String>> = LazyLock::new(|| Language::new([]));

/// Five policies of this text, as a project asks them.
fn conditions(keyring: &Keyring, text: &str) -> Result<Option<Arc<Conditions>>> {
    let language = LANGUAGE.as_ref().map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let policies = (1..=5).map(|n| {
        let name = format!("policy-{n}");
        let source = Source { id: AccessPolicyId([n; 16]), project: None, name: &name, text, version: 1 };
        Arc::new(AccessPolicy::new(language, source))
    });
    let policies: Vec<_> = policies.collect();
    ensure!(policies.iter().all(|policy| policy.mistakes().is_empty()), "a policy is none: {text}");
    let rules = Rules::new(language, policies, Arc::new(Known::default()), Arc::new(|_, _, _| None));
    let project = keyring.directory.projects_of(population::ORGANIZATION).pop().context("a project")?;
    Ok(Arc::new(rules).conditions(project.id, project.system))
}

fn verify_all(keyring: &Keyring, tokens: &[String], ask: &Ask<'_>) -> usize {
    let valid = tokens.iter().filter(|token| {
        let decision = black_box(keyring.verify(&SCOPE, black_box(token), ask, NOW, |decision, _| decision));
        matches!(decision, Ok(Decision::Made(verdict)) if verdict.code == Code::Valid)
    });
    valid.count()
}

/// Measures.
///
/// # Errors
/// When a token is not valid: then there is nothing to measure.
pub fn figures() -> Result<Vec<Figure>> {
    say::progress("verifying with policies and without, in turns");
    let mut tokens = Vec::with_capacity(KEYS);
    let keyring = population::fill(KEYS, |token| tokens.push(token.to_owned()))?;
    let query = population::query()?;
    let ask = population::ask(&query);
    let project = keyring.directory.projects_of(population::ORGANIZATION).pop().context("a project")?;
    let forbid = |principal: &str, condition: &str| {
        format!("forbid ({principal}, action == Action::\"verify\", resource) when {{ {condition} }};")
    };
    let team = format!("principal in Team::\"{}\"", TeamId([8; 16]));
    let of_key = "principal.tags.contains(\"ci\") && context.hour > 24";
    let kinds = [
        None,
        conditions(&keyring, &forbid(&team, "context.hour > 24"))?,
        conditions(&keyring, &forbid("principal is Key", of_key))?,
        conditions(&keyring, &forbid("principal is Key", "context.hour > 24"))?,
    ];
    let mut ns: [Vec<f64>; 4] = Default::default();
    for round in 0..ROUNDS {
        let from = round * BATCH % (KEYS - BATCH);
        let some = tokens.get(from..from + BATCH).context("tokens")?;
        for (conditions, ns) in kinds.iter().zip(&mut ns) {
            project.conditions.set(conditions.clone());
            // What is found out once for a key is found out before.
            verify_all(&keyring, some, &ask);
            let (time, valid) = timed(|| verify_all(&keyring, some, &ask));
            ensure!(valid == BATCH, "a token was refused");
            ns.push(time.as_secs_f64() * 1e9 / BATCH as f64);
        }
    }
    let [without, untouched, known, asked] = ns;
    let over =
        |with: &[f64]| median(with.iter().zip(&without).map(|(with, without)| with / without).collect());
    Ok(vec![
        Figure::at_most(
            "policies_untouched",
            over(&untouched),
            1.05,
            "a verification of a key that none of five policies is about, over one without policies",
        ),
        Figure::told(
            "policies_known",
            over(&known),
            "of one of which it is known that none forbids, over that",
        ),
        Figure::told(
            "policies_asked_us",
            (median(asked) - median(without.clone())) / 1e3,
            "what five policies add that look at each request, µs",
        ),
    ])
}
