//! What is signed: a JWT for one audience, of a key whose request passes.

use super::Identities;
use super::made::KEPT;
use crate::verify::Judged;
use http::HeaderValue;
use keystead_api::{OwnerKind, Verification};
use keystead_domain::cells::{Place, ProjectCell};
use keystead_domain::ids::{EnvironmentId, SigningKeyId};
use keystead_domain::time::{Micros, SECOND};
use keystead_guard::{AUDIENCES_RESERVED, Compiled};
use serde::Serialize;
use std::sync::Arc;

/// How long a token is believed after it was made. One that is handed out has the rest after [`KEPT`] at least.
const LIFE: i64 = 60 * SECOND;
const _: () = assert!(KEPT < LIFE);
/// Longer lists of permissions are left out: servers take headers of some KiB at most.
const PERMISSIONS_MAX: usize = 256;
const PERMISSIONS_BYTES_MAX: usize = 4_096;

/// What a token says beside its times.
#[derive(Serialize)]
struct Said<'a> {
    /// Who says so, for one organization: what another's guard has signed is not from this issuer.
    iss: String,
    aud: String,
    /// The key.
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Owner<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<Consumer<'a>>,
    project: &'a str,
    environment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<&'a [String]>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    permissions_omitted: bool,
}

#[derive(Serialize)]
struct Owner<'a> {
    kind: OwnerKind,
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Consumer<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    #[serde(flatten)]
    said: Said<'a>,
    iat: i64,
    exp: i64,
}

/// A token, and what it is true of.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) of: Of,
    pub(super) at: Micros,
    pub(super) token: HeaderValue,
}

/// All that a token of a key says, and who signed it: what differs in anything of it is another token. What is told of the
/// key is made anew after any change, of whomever: where it says the same, so does the token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Of {
    /// Its digest: what is told may be large.
    pub(super) told: [u8; 32],
    pub(super) environment: EnvironmentId,
    pub(super) audience: Option<Arc<str>>,
    pub(super) signer: SigningKeyId,
    pub(super) ends: Option<Micros>,
}

impl Identities {
    /// The token for a request that passes; none where there is nothing to sign with, and an upstream that wants one
    /// refuses.
    pub(crate) fn token(
        &self,
        guard: &Compiled,
        place: &Place,
        Judged { answer, known }: &Judged,
        now: Micros,
    ) -> Option<HeaderValue> {
        let keys = self.keys.load();
        let signer = keys.signer(now)?;
        let (key, told) = known.as_ref()?;
        let ends = answer.expires_at.map(Micros::from);
        let of = Of {
            told: told.digest()?,
            environment: place.environment,
            audience: guard.audience().cloned(),
            signer: signer.id(),
            ends,
        };
        if let Some(token) = self.made.get(*key, &of, now) {
            return Some(token);
        }
        let seconds = |at: Micros| at.0.div_euclid(SECOND);
        let exp = ends.map_or(now.plus(LIFE), |ends| ends.plus(SECOND - 1).min(now.plus(LIFE)));
        let claims = Claims { said: said(guard, place, answer), iat: seconds(now), exp: seconds(exp) };
        let token = HeaderValue::try_from(signer.sign(&claims).ok()?).ok()?;
        self.made.put(*key, Signed { of, at: now, token: token.clone() });
        Some(token)
    }
}

/// Who signs for a project's organization.
pub(crate) fn issuer(project: &ProjectCell) -> String {
    format!("keystead/{}", project.organization)
}

/// For whom a project's tokens are, in each `{environment}`.
pub(crate) fn audience(project: &ProjectCell, chosen: Option<&str>) -> String {
    let usual = || format!("{AUDIENCES_RESERVED}{}:{}:{{environment}}", project.organization, project.slug);
    chosen.map_or_else(usual, ToOwned::to_owned)
}

fn said<'a>(guard: &Compiled, place: &'a Place, answer: &'a Verification) -> Said<'a> {
    let bytes: usize = answer.permissions.iter().map(String::len).sum();
    let fits = answer.permissions.len() <= PERMISSIONS_MAX && bytes <= PERMISSIONS_BYTES_MAX;
    Said {
        iss: issuer(&place.project),
        aud: audience(&place.project, guard.audience().map(|audience| &**audience))
            .replace("{environment}", &place.slug),
        sub: answer.key_id.as_deref(),
        owner: answer.owner.as_ref().map(|owner| Owner {
            kind: owner.kind,
            id: &owner.id,
            name: &owner.name,
        }),
        consumer: answer
            .consumer
            .as_ref()
            .map(|consumer| Consumer { id: &consumer.id, external_id: consumer.external_id.as_deref() }),
        project: &place.project.slug,
        environment: &place.slug,
        permissions: fits.then_some(&*answer.permissions),
        permissions_omitted: !fits,
    }
}
