//! "May this request pass?", asked by a program that guards an API.

use crate::asked::Asked;
use crate::caller::{Caller, whole_seconds};
use crate::locate::Where;
use crate::refused::{Refused, below_item};
use crate::slow_imports::Tried;
use crate::usage::{Subject, UsageEvent};
use crate::{Keystead, management, present};
use keystead_api::{Code, Include, Verification, Verify};
use keystead_domain::decide::{Ask, Decision, Verdict};
use keystead_domain::entry::Entry;
use keystead_domain::explain::explain;
use keystead_domain::ids::{OrganizationId, RequestId};
use keystead_domain::invalid::Invalid;
use keystead_domain::route_limits::AtRoute;
use keystead_domain::time::Micros;
use std::sync::Arc;

/// The most verdicts asked at once.
pub const BATCH_MAX: usize = 1_000;

/// Who asks for a verdict.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker {
    /// Whose the project is that is asked about.
    pub(crate) organization: OrganizationId,
    /// The request in which it asks.
    pub(crate) request_id: RequestId,
}

impl Asker {
    fn of(caller: &Caller) -> Self {
        Self { organization: caller.organization(), request_id: caller.origin.request_id }
    }
}

impl Keystead {
    /// The verdict on one request.
    ///
    /// # Errors
    /// When the asker may not ask, or asks nonsense. A refused key is a verdict, not an error.
    pub async fn verify(self: &Arc<Self>, caller: &Caller, input: &Verify) -> Result<Verification, Refused> {
        let within = self.locate(caller, input)?;
        let resource = within.resource.as_deref();
        if input.explain {
            Box::pin(self.authorise_all(caller, asking(input), resource)).await?;
        } else {
            self.authorise(caller, management::KEYS_VERIFY, resource).await?;
        }
        self.judge(Asker::of(caller), input, &within, None).await
    }

    /// The verdicts on several requests, each on its own, in order.
    ///
    /// # Errors
    /// When the asker may not ask one of them, or asks nonsense: then none was judged.
    pub async fn verify_batch(
        self: &Arc<Self>,
        caller: &Caller,
        inputs: &[Verify],
    ) -> Result<Vec<Verification>, Refused> {
        if !(1..=BATCH_MAX).contains(&inputs.len()) {
            return Err(Invalid::new(
                "/items",
                format!("A batch of {} is not possible.", inputs.len()),
                format!("Ask 1 to {BATCH_MAX} at once."),
            )
            .into());
        }
        let mut located = Vec::with_capacity(inputs.len());
        for (index, input) in inputs.iter().enumerate() {
            let at = |refused| below_item(refused, index);
            let within = self.locate(caller, input).map_err(at)?;
            Asked::read(input).map_err(|invalid| at(invalid.into()))?;
            self.may_ask(caller, input, &within)?;
            located.push(within);
        }
        self.authorise(
            caller,
            management::KEYS_VERIFY,
            located.first().and_then(|within| within.resource.as_deref()),
        )
        .await?;
        let mut answers = Vec::with_capacity(inputs.len());
        for (input, within) in inputs.iter().zip(&located) {
            answers.push(self.judge(Asker::of(caller), input, within, None).await?);
        }
        Ok(answers)
    }

    /// The permissions alone, of every item, before the first is judged.
    fn may_ask(&self, caller: &Caller, input: &Verify, within: &Where) -> Result<(), Refused> {
        let resource = within.resource.as_deref();
        for permission in asking(input).iter().copied() {
            caller.require(permission, resource)?;
        }
        Ok(())
    }

    /// The verdict for somebody who may ask for it; on a request to a guarded route with limits of its own, where it
    /// is one.
    pub(crate) async fn judge(
        self: &Arc<Self>,
        asker: Asker,
        input: &Verify,
        within: &Where,
        route: Option<&AtRoute<'_>>,
    ) -> Result<Verification, Refused> {
        let asked = Asked::read(input)?;
        let now = self.clock.now();
        let ask = Ask { route, ..asked.ask(input, &self.sharing) };
        if input.explain {
            return Ok(explained(self.find_any(&within.scope, &input.key).await, &ask, now, asker));
        }
        let at_once = self.keyring.verify(&within.scope, &input.key, &ask, now, |decision, entry| match self
            .unless_held_up(decision, Some(entry), &ask, now)
        {
            (Decision::Made(verdict), now) if verdict.lease_ahead.is_none() && input.include.is_empty() => {
                Ok(self.answer(asker, entry, verdict, &ask, input, now))
            }
            (decision, now) => Err(Box::new((decision, entry.clone(), now))),
        });
        match at_once {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(unsettled)) => {
                let (decision, entry, now) = *unsettled;
                let verdict = Box::pin(self.settle_from(decision, Some(&entry), &ask, now)).await;
                let mut answer = self.answer(asker, &entry, verdict, &ask, input, now);
                if input.include.contains(&Include::Metadata) {
                    // Apart: as a part of this future its 14 KiB would be moved about for every verification.
                    answer.metadata = Some(Box::pin(self.metadata_of(&entry)).await?);
                }
                Ok(answer)
            }
            Err(code) => {
                // Found, it is known from now on: this comes round once.
                if code == Code::NotFound && Box::pin(self.seek(&input.key)).await {
                    return Box::pin(self.judge(asker, input, within, route)).await;
                }
                // Apart: nothing of our own pays for what is not.
                Box::pin(self.judge_stranger(asker, input, within, &ask, (code, now))).await
            }
        }
    }

    /// The verdict on a token that nothing at hand knows: perhaps a key that was imported with a slow
    /// digest.
    async fn judge_stranger(
        self: &Arc<Self>,
        asker: Asker,
        input: &Verify,
        within: &Where,
        ask: &Ask<'_>,
        (code, now): (Code, Micros),
    ) -> Result<Verification, Refused> {
        let known = match code {
            Code::Malformed | Code::NotFound => match self.try_slow(&within.scope, &input.key).await? {
                Tried::Found => {
                    self.keyring.verify(&within.scope, &input.key, ask, now, |decision, entry| {
                        (decision, entry.clone())
                    })
                }
                Tried::Unknown => Err(code),
                Tried::Busy => Err(Code::Unavailable),
            },
            code => Err(code),
        };
        let (decision, entry) = match known {
            Ok(known) => known,
            Err(code) => {
                self.note(Subject::Nobody(within.unknown(asker.organization)), ask, input, code, now);
                return Ok(present::stranger(Verdict::of(code), asker.request_id));
            }
        };
        let verdict = self.settle_from(decision, Some(&entry), ask, now).await;
        let mut answer = self.answer(asker, &entry, verdict, ask, input, now);
        if input.include.contains(&Include::Metadata) {
            answer.metadata = Some(self.metadata_of(&entry).await?);
        }
        Ok(answer)
    }

    /// The answer about a key whose digest has matched; its use is noted.
    fn answer(
        self: &Arc<Self>,
        asker: Asker,
        entry: &Entry,
        verdict: Verdict,
        ask: &Ask<'_>,
        input: &Verify,
        now: Micros,
    ) -> Verification {
        self.note(Subject::Key(entry), ask, input, verdict.code, now);
        self.note_rotation(entry, verdict.code, now);
        let mut answer = present::verification(entry, verdict, ask.cost, now, asker.request_id);
        if let Some(route) = ask.route {
            answer.limits.extend(present::route_limits(route, entry.spender().as_deref(), ask, now));
        }
        answer
    }

    fn note(&self, subject: Subject<'_>, ask: &Ask<'_>, input: &Verify, code: Code, now: Micros) {
        self.counters.count(code);
        self.usage.record(UsageEvent::new(subject, ask, input.user_agent.as_deref(), code, now));
    }

    /// Metadata is not resident: it is read from the store, only when asked for.
    async fn metadata_of(
        &self,
        entry: &Entry,
    ) -> Result<serde_json::Map<String, serde_json::Value>, Refused> {
        let mut reader = self.store.read().await?;
        let row = reader.key(entry.place.project.organization, entry.id).await?;
        row.and_then(|row| row.metadata)
            .map_or_else(|| Ok(serde_json::Map::new()), |text| present::json(&text))
    }
}

/// What the asker must be allowed.
const fn asking(input: &Verify) -> &'static [&'static str] {
    if input.explain { &[management::KEYS_VERIFY, management::KEYS_READ] } else { &[management::KEYS_VERIFY] }
}

fn explained(found: Result<Entry, Code>, ask: &Ask<'_>, now: Micros, asker: Asker) -> Verification {
    match found {
        Ok(entry) => {
            let mut checks = present::found_checks();
            checks.extend(explain(&entry, ask, now));
            let code = checks.iter().find_map(|check| check.code).unwrap_or(Code::Valid);
            let mut answer =
                present::verification(&entry, Verdict::of(code), ask.cost, now, asker.request_id);
            answer.explanation = checks;
            answer
        }
        Err(code) => {
            let mut answer = present::stranger(Verdict::of(code), asker.request_id);
            answer.explanation = present::stranger_checks(code);
            answer
        }
    }
}

pub(crate) fn retry_after(verdict: &Verdict) -> Option<u64> {
    verdict.retry_after_ns.map(whole_seconds)
}
