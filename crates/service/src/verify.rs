//! "May this request pass?", asked by a program that guards an API.

use crate::asked::{Asked, Question};
use crate::caller::{Caller, whole_seconds};
use crate::described::Described;
use crate::locate::Where;
use crate::refused::{Refused, below_item};
use crate::slow_imports::Tried;
use crate::usage::{Subject, UsageEvent};
use crate::{Keystead, management, present};
use keystead_api::{Code, Include, Verification, Verify};
use keystead_domain::decide::{Ask, Decision, Verdict};
use keystead_domain::entry::Entry;
use keystead_domain::explain::explain;
use keystead_domain::ids::{KeyId, OrganizationId, RequestId};
use keystead_domain::invalid::Invalid;
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

/// A verdict.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) answer: Verification,
    /// Which key it is about, and what is told of it; none of a token that proved nothing.
    pub(crate) known: Option<(KeyId, Arc<Described>)>,
}

/// Why there is no verdict yet.
enum Unsettled {
    /// Every check is asked for.
    Explained(Micros),
    /// The digest has matched, and something is still needed: a lease, or what is not resident.
    Decided(Box<(Decision, Entry, Micros)>),
    /// Nothing at hand knows the token, which others may.
    Unproven(Code, Micros),
}

impl From<Verification> for Judged {
    /// On a token that proved nothing.
    fn from(answer: Verification) -> Self {
        Self { answer, known: None }
    }
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
        let asked = Asked::read(input)?;
        let judged = self.judge(Asker::of(caller), &asked.question(input, &self.sharing), &within).await?;
        Ok(judged.answer)
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
            let asked = Asked::read(input)?;
            let question = asked.question(input, &self.sharing);
            answers.push(self.judge(Asker::of(caller), &question, within).await?.answer);
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

    /// The verdict for somebody who may ask for it.
    pub(crate) async fn judge(
        self: &Arc<Self>,
        asker: Asker,
        question: &Question<'_>,
        within: &Where,
    ) -> Result<Judged, Refused> {
        match self.judge_at_once(asker, question, within) {
            Ok(judged) => Ok(judged),
            // Apart: what rarely has to wait would be moved about with every verification.
            Err(unsettled) => Box::pin(self.judge_later(asker, question, within, unsettled)).await,
        }
    }

    /// The verdict, where nothing is to be waited for.
    fn judge_at_once(
        self: &Arc<Self>,
        asker: Asker,
        question: &Question<'_>,
        within: &Where,
    ) -> Result<Judged, Unsettled> {
        let (ask, now) = (&question.ask, self.clock.now());
        if question.explain {
            return Err(Unsettled::Explained(now));
        }
        let judged = self.keyring.verify(&within.scope, question.key, ask, now, |decision, entry| match self
            .unless_held_up(decision, Some(entry), ask, now)
        {
            (Decision::Made(verdict), now)
                if verdict.lease_ahead.is_none() && question.include.is_empty() =>
            {
                Ok(self.answer(asker, entry, verdict, question, now))
            }
            (decision, now) => Err(Unsettled::Decided(Box::new((decision, entry.clone(), now)))),
        });
        judged.unwrap_or_else(|code| Err(Unsettled::Unproven(code, now)))
    }

    async fn judge_later(
        self: &Arc<Self>,
        asker: Asker,
        question: &Question<'_>,
        within: &Where,
        unsettled: Unsettled,
    ) -> Result<Judged, Refused> {
        match unsettled {
            Unsettled::Explained(now) => {
                let found = self.find_any(&within.scope, question.key).await;
                Ok(self.explained(found, &question.ask, now, asker))
            }
            Unsettled::Decided(decided) => {
                let (decision, entry, now) = *decided;
                let verdict = self.settle_from(decision, Some(&entry), &question.ask, now).await;
                let mut judged = self.answer(asker, &entry, verdict, question, now);
                if question.include.contains(&Include::Metadata) {
                    judged.answer.metadata = Some(self.metadata_of(&entry).await?);
                }
                Ok(judged)
            }
            // Found, it is known from now on: this comes round once.
            Unsettled::Unproven(Code::NotFound, _) if self.seek(question.key).await => {
                Box::pin(self.judge(asker, question, within)).await
            }
            Unsettled::Unproven(code, now) => self.judge_stranger(asker, question, within, (code, now)).await,
        }
    }

    /// The verdict on a token that nothing at hand knows: perhaps a key that was imported with a slow
    /// digest.
    async fn judge_stranger(
        self: &Arc<Self>,
        asker: Asker,
        question: &Question<'_>,
        within: &Where,
        (code, now): (Code, Micros),
    ) -> Result<Judged, Refused> {
        let (key, ask) = (question.key, &question.ask);
        let known = match code {
            Code::Malformed | Code::NotFound => match self.try_slow(&within.scope, key).await? {
                Tried::Found => self
                    .keyring
                    .verify(&within.scope, key, ask, now, |decision, entry| (decision, entry.clone())),
                Tried::Unknown => Err(code),
                Tried::Busy => Err(Code::Unavailable),
            },
            code => Err(code),
        };
        let (decision, entry) = match known {
            Ok(known) => known,
            Err(code) => {
                self.note(Subject::Nobody(within.unknown(asker.organization)), question, code, now);
                return Ok(present::stranger(Verdict::of(code), asker.request_id).into());
            }
        };
        let verdict = self.settle_from(decision, Some(&entry), ask, now).await;
        let mut judged = self.answer(asker, &entry, verdict, question, now);
        if question.include.contains(&Include::Metadata) {
            judged.answer.metadata = Some(self.metadata_of(&entry).await?);
        }
        Ok(judged)
    }

    /// The answer about a key whose digest has matched; its use is noted.
    fn answer(
        self: &Arc<Self>,
        asker: Asker,
        entry: &Entry,
        verdict: Verdict,
        question: &Question<'_>,
        now: Micros,
    ) -> Judged {
        let ask = &question.ask;
        self.note(Subject::Key(entry), question, verdict.code, now);
        self.note_rotation(entry, verdict.code, now);
        let described = self.descriptions.of(entry, &self.keyring.directory);
        let mut answer = present::verification(entry, &described, verdict, ask.cost, now, asker.request_id);
        if let Some(route) = ask.route {
            answer.limits.extend(present::route_limits(route, entry.spender().as_deref(), ask, now));
        }
        Judged { answer, known: Some((entry.id, described)) }
    }

    fn note(&self, subject: Subject<'_>, question: &Question<'_>, code: Code, now: Micros) {
        self.counters.count(code);
        self.usage.record(UsageEvent::new(subject, &question.ask, question.user_agent, code, now));
    }

    /// Every check with its outcome; nothing is taken or noted.
    fn explained(&self, found: Result<Entry, Code>, ask: &Ask<'_>, now: Micros, asker: Asker) -> Judged {
        match found {
            Ok(entry) => {
                let mut checks = present::found_checks();
                checks.extend(explain(&entry, ask, now));
                let code = checks.iter().find_map(|check| check.code).unwrap_or(Code::Valid);
                let (verdict, request) = (Verdict::of(code), asker.request_id);
                let described = self.descriptions.of(&entry, &self.keyring.directory);
                let answer = present::verification(&entry, &described, verdict, ask.cost, now, request);
                Judged {
                    answer: Verification { explanation: checks, ..answer },
                    known: Some((entry.id, described)),
                }
            }
            Err(code) => {
                let answer = present::stranger(Verdict::of(code), asker.request_id);
                Verification { explanation: present::stranger_checks(code), ..answer }.into()
            }
        }
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

pub(crate) fn retry_after(verdict: &Verdict) -> Option<u64> {
    verdict.retry_after_ns.map(whole_seconds)
}
