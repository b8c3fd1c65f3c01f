//! The second factor: what proves it, taken in the transaction of what it is proved for, so that a code works
//! once. And the step-up: proving it again within a session.

use crate::Keystead;
use crate::act::Target;
use crate::caller::{Caller, Origin, SessionProof};
use crate::present::to_json;
use crate::refused::Refused;
use crate::sign_in::passkeys::{Ceremony, For};
use keystead_api::{PasskeyProof, ProveSecondFactor, Session};
use keystead_domain::digest::Purpose;
use keystead_domain::ids::AccountId;
use keystead_domain::invalid::{Invalid, texts_at_most};
use keystead_domain::sign_in::{recovery_code, totp};
use keystead_domain::time::{Micros, SECOND};
use keystead_store::{Acted, SecondFactorRow, Tx, second_factor_place};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The longest code that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 128;
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
    /// The use of a passkey.
    Passkey(Ceremony),
}

/// What was sent for a second factor.
#[derive(Clone, Copy)]
pub(super) struct Offered<'a> {
    /// A one-time code or a recovery code.
    pub(super) code: Option<&'a str>,
    /// That a passkey was used.
    pub(super) passkey: Option<&'a PasskeyProof>,
    /// For what the passkey's ceremony must have been begun.
    pub(super) purpose: For,
}

impl<'a> Offered<'a> {
    /// By who has no session.
    pub(super) fn without_session(
        code: Option<&'a str>,
        passkey: Option<&'a PasskeyProof>,
    ) -> Result<Self, Refused> {
        if code.is_some() && passkey.is_some() {
            return Err(Invalid::new(
                "/passkey",
                "There is a code beside it.",
                "Send `code` or `passkey`, one of the two.",
            )
            .into());
        }
        Ok(Self { code, passkey, purpose: For::SigningIn })
    }
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
            Self::Passkey(ceremony) => ceremony.take(tx).await?,
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
        self: &Arc<Self>,
        account: AccountId,
        offered: Offered<'_>,
        origin: &Origin,
    ) -> Result<Proof, Refused> {
        if !self.has_second_factor(account).await? {
            return Ok(Proof::None);
        }
        if let Some(passkey) = offered.passkey {
            let ceremony = self.passkey_of_account(passkey, account, offered.purpose, origin).await?;
            return Ok(Proof::Passkey(ceremony));
        }
        let code = offered.code.ok_or(Refused::SecondFactorRequired)?;
        if totp::canonical(code).is_some() {
            let row = self.store.read().await?.second_factor(account).await?;
            let row = row.filter(|row| row.confirmed_at.is_some()).ok_or(Refused::SignInFailed)?;
            let secret = self.open_second_factor(&row)?;
            let step = totp::step_of(&secret, code, row.last_step, self.clock.now());
            return step.map(Proof::Step).ok_or(Refused::SignInFailed);
        }
        let code = recovery_code::canonical(code).ok_or(Refused::SignInFailed)?;
        self.recovery_digest(account, &code).map(Proof::Recovery)
    }

    /// Whether an account has a second factor: one-time codes that were confirmed, or a passkey.
    pub(super) async fn has_second_factor(&self, account: AccountId) -> Result<bool, Refused> {
        let mut reader = self.store.read().await?;
        let totp = reader.second_factor(account).await?.is_some_and(|row| row.confirmed_at.is_some());
        Ok(totp || !reader.passkeys(account).await?.is_empty())
    }

    /// Takes recovery codes away that stand for no second factor any more.
    pub(super) async fn end_codes_of_none(&self, tx: &mut Tx, account: AccountId) -> Result<(), Refused> {
        let totp = tx.second_factor(account).await?.is_some_and(|row| row.confirmed_at.is_some());
        if !totp && tx.passkeys(account).await?.is_empty() {
            tx.remove_recovery_codes(account).await?;
        }
        Ok(())
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
        if self.has_second_factor(session.account).await? && !session.is_fresh(self.clock.now()) {
            return Err(Refused::SecondFactorRequired);
        }
        Ok(())
    }

    /// Proves the second factor again, within the caller's session.
    ///
    /// # Errors
    /// When the caller has no session, the account no second factor, or what was sent is wrong.
    pub async fn step_up(
        self: &Arc<Self>,
        caller: &Caller,
        input: &ProveSecondFactor,
    ) -> Result<Session, Refused> {
        texts_at_most(TEXT_BYTES_MAX, &[("/code", &input.code)])?;
        let session = caller.signed_in()?.clone();
        let account = self.own_account(&session).await?;
        let offered = Offered {
            purpose: For::StepUp(session.id),
            ..Offered::without_session(input.code.as_deref(), input.passkey.as_ref())?
        };
        let one = self.begin_try(&account.email, Some(&account), caller.origin.ip).await?;
        let proof = match self.second_factor_proof(session.account, offered, &caller.origin).await {
            Ok(proof) => proof,
            Err(refused) => return Err(self.asked_for_more(refused, one).await),
        };
        if proof == Proof::None {
            self.was_not_wrong(one).await;
            return Err(Refused::conflict(
                "The account has no second factor.",
                "Set one up: keystead account passkeys add, or keystead account totp setup.",
            ));
        }
        let now = self.clock.now();
        let target =
            Target { kind: "session", id: session.id.to_string(), name: &account.email, project: None };
        let mut event = self.event(caller, "session.step_up", target);
        event.after_body = Some(to_json(&serde_json::json!({
            "proof": match proof {
                Proof::None | Proof::Step(_) => "one_time_code",
                Proof::Recovery(_) => "recovery_code",
                Proof::Passkey(_) => "passkey",
            },
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
