//! The second factor: what proves it, taken in the transaction of what it is proved for, so that a code works
//! once. And the step-up: proving it again within a session.

use crate::Keystead;
use crate::act::Target;
use crate::caller::{Caller, SessionProof};
use crate::present::to_json;
use crate::refused::Refused;
use keystead_api::{OneTimeCode, Session};
use keystead_domain::digest::Purpose;
use keystead_domain::ids::AccountId;
use keystead_domain::sign_in::{recovery_code, totp};
use keystead_domain::time::{Micros, SECOND};
use keystead_store::{Acted, SecondFactorRow, Tx, second_factor_place};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How long a second factor that was proved counts.
const PROVED_MICROS: i64 = 600 * SECOND;

/// What proves a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The account has none.
    None,
    /// A step's code.
    Step(i64),
    /// A recovery code, by its digest.
    Recovery([u8; 32]),
}

impl Proof {
    /// When it was proved, where there was anything to prove.
    pub(super) fn at(self, now: Micros) -> Option<Micros> {
        (self != Self::None).then_some(now)
    }

    /// Uses it up.
    ///
    /// # Errors
    /// [`Refused::SignInFailed`] when it was used before.
    pub(super) async fn take(self, tx: &mut Tx, account: AccountId) -> Result<(), Refused> {
        let taken = match self {
            Self::None => true,
            Self::Step(step) => tx.take_step(account, step).await?,
            Self::Recovery(digest) => tx.take_recovery_code(account, &digest).await?,
        };
        if taken { Ok(()) } else { Err(Refused::SignInFailed) }
    }
}

impl Keystead {
    /// What proves the second factor of an account.
    ///
    /// # Errors
    /// [`Refused::SecondFactorRequired`] without a code where there has to be one, [`Refused::SignInFailed`]
    /// with a wrong one.
    pub(super) async fn second_factor_proof(
        &self,
        account: AccountId,
        code: Option<&str>,
    ) -> Result<Proof, Refused> {
        let row = self.store.read().await?.second_factor(account).await?;
        let Some(row) = row.filter(|row| row.confirmed_at.is_some()) else { return Ok(Proof::None) };
        let code = code.ok_or(Refused::SecondFactorRequired)?;
        if totp::canonical(code).is_some() {
            let secret = self.open_second_factor(&row)?;
            let step = totp::step_of(&secret, code, row.last_step, self.clock.now());
            return step.map(Proof::Step).ok_or(Refused::SignInFailed);
        }
        let code = recovery_code::canonical(code).ok_or(Refused::SignInFailed)?;
        self.recovery_digest(account, &code).map(Proof::Recovery)
    }

    pub(super) fn recovery_digest(&self, account: AccountId, code: &str) -> Result<[u8; 32], Refused> {
        self.tag(Purpose::RecoveryCode, &[&account.0, code.as_bytes()])
    }

    pub(super) fn open_second_factor(&self, row: &SecondFactorRow) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let opened = self.root.keys().open(&second_factor_place(row.account_id), &row.sealed);
        opened.map_err(|error| Refused::Internal(format!("a second factor: {error}")))
    }

    /// Lets a sensitive act pass: a session in which the second factor was proved a moment ago. Keys are
    /// refused, but the installation's operator.
    ///
    /// # Errors
    /// [`Refused::SecondFactorRequired`].
    pub(crate) fn stepped_up(&self, caller: &Caller) -> Result<(), Refused> {
        match &caller.session {
            Some(session) if session.is_fresh(self.clock.now()) => Ok(()),
            None if self.is_operator(caller) => Ok(()),
            _ => Err(Refused::SecondFactorRequired),
        }
    }

    /// The same for the rules of the caller's own sign-in: where there is no second factor yet, none is asked.
    ///
    /// # Errors
    /// [`Refused::SecondFactorRequired`].
    pub(crate) async fn stepped_up_if_can(&self, session: &SessionProof) -> Result<(), Refused> {
        let row = self.store.read().await?.second_factor(session.account).await?;
        let has = row.is_some_and(|row| row.confirmed_at.is_some());
        if has && !session.is_fresh(self.clock.now()) {
            return Err(Refused::SecondFactorRequired);
        }
        Ok(())
    }

    /// Proves the second factor again, within the caller's session.
    ///
    /// # Errors
    /// When the caller has no session, the account no second factor, or the code is wrong.
    pub async fn step_up(self: &Arc<Self>, caller: &Caller, input: OneTimeCode) -> Result<Session, Refused> {
        let session = caller.signed_in()?.clone();
        let account = self.own_account(&session).await?;
        let one = self.begin_try(&account.email, Some(&account), caller.origin.ip).await?;
        let proof = self.second_factor_proof(session.account, Some(&input.code)).await?;
        if proof == Proof::None {
            self.was_not_wrong(one).await;
            return Err(Refused::conflict(
                "The account has no second factor.",
                "Set one up with POST /v1/account/totp (keystead account totp).",
            ));
        }
        let now = self.clock.now();
        let target =
            Target { kind: "session", id: session.id.to_string(), name: &account.email, project: None };
        let mut event = self.event(caller, "session.step_up", target);
        event.after_body = Some(to_json(&serde_json::json!({
            "proof": if matches!(proof, Proof::Step(_)) { "one_time_code" } else { "recovery_code" },
        }))?);
        let id = session.id;
        self.act(move |tx| {
            Box::pin(async move {
                proof.take(tx, session.account).await?;
                if !tx.step_up_session(id, now).await? {
                    return Err(Refused::NoSession);
                }
                Ok(Acted { value: (), events: vec![event], changes: Vec::new() })
            })
        })
        .await?;
        self.was_right(one).await;
        self.own_session(caller).await
    }
}

impl SessionProof {
    /// Whether the second factor was proved in it a moment ago.
    pub(super) fn is_fresh(&self, now: Micros) -> bool {
        self.second_factor_at.is_some_and(|at| (0..PROVED_MICROS).contains(&now.since(at)))
    }
}
