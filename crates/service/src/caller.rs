//! Who calls, and what they may do. Keystead's own API is guarded by Keystead's own keys and
//! verdicts: there is no second mechanism.

use crate::keyring::Scope;
use crate::people::person;
use crate::refused::Refused;
use crate::usage::{Subject, UsageEvent};
use crate::{Keystead, management};
use keystead_api::{AllOf, Code, PermissionQuery};
use keystead_domain::conditions::Deed;
use keystead_domain::decide::{Ask, Verdict, forbidden};
use keystead_domain::entry::Entry;
use keystead_domain::ids::{AccountId, KeyId, MemberId, OrganizationId, RequestId, SessionId};
use keystead_domain::invalid::Invalid;
use keystead_domain::pattern::Pattern;
use keystead_domain::query::Query;
use keystead_domain::replay::IdempotencyKey;
use keystead_domain::time::Micros;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

/// What a request to Keystead's own API says of itself.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The address of its connection; never what a header says.
    pub ip: Option<IpAddr>,
    /// Its HTTP method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// Its user agent.
    pub user_agent: Option<String>,
    /// Its id.
    pub request_id: RequestId,
    /// Its `Idempotency-Key`, on a POST that has one.
    pub idempotency: Option<IdempotencyKey>,
}

/// A caller whose key's or session's digest has matched. What it may do is asked for each act.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its key, or what stands for its session: as a key that may do all that its member may.
    pub entry: Entry,
    /// Where the request came from.
    pub origin: Origin,
    /// Its session, where it is a person who signed in.
    pub session: Option<SessionProof>,
    /// When it was recognised.
    pub at: Micros,
}

/// What a session proves.
#[derive(Debug, Clone)]
pub struct SessionProof {
    /// Which one.
    pub id: SessionId,
    /// Who signed in.
    pub account: AccountId,
    /// When the second factor was last proved in it.
    pub second_factor_at: Option<Micros>,
}

impl Caller {
    /// Whose everything that it sees is.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.entry.place.project.organization
    }

    /// Which person it is, where it is one: by a key of theirs, also in a team's name.
    #[must_use]
    pub fn member(&self) -> Option<MemberId> {
        person(self.entry.owner.id, &self.entry.owner.state.load().reach)
    }

    /// Its key's id; that of no key where it is a session.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.entry.id
    }

    /// Its key, where it has one.
    #[must_use]
    pub const fn key(&self) -> Option<KeyId> {
        if self.session.is_some() { None } else { Some(self.entry.id) }
    }

    /// Whether it may, as far as permissions and policies say: asked beside a verdict, and takes nothing.
    pub(crate) fn may(&self, permission: &'static str, resource: Option<&str>) -> bool {
        self.require(permission, resource).is_ok()
    }

    /// The same.
    ///
    /// # Errors
    /// Names the permission that is missing, or the policy that forbids it.
    pub(crate) fn require(&self, permission: &'static str, resource: Option<&str>) -> Result<(), Refused> {
        if !self.entry.may(permission, resource) {
            let resource = resource.unwrap_or("the organization").to_owned();
            return Err(Refused::Forbidden { permission, resource });
        }
        if !self.entry.place.project.conditions.is_any() {
            return Ok(());
        }
        let query = Query::parse(&PermissionQuery::One(permission.into()))?;
        let ask = Ask { resource, permissions: Some(&query), ..self.ask() };
        forbidden(&self.entry, &ask, self.at).map_or(Ok(()), |forbidden| Err(Refused::policy(&forbidden)))
    }

    /// What the request says of itself.
    pub(crate) fn ask(&self) -> Ask<'_> {
        Ask {
            ip: self.origin.ip,
            method: Some(&self.origin.method),
            path: Some(&self.origin.path),
            ..Ask::default()
        }
    }

    /// What it wants with these permissions. Whoever signed in and has every right of the organization, and the
    /// installation's operator, can always look at policies and mend them: else a policy could lock out everybody.
    pub(crate) fn deed(&self, permissions: &[&str]) -> Deed {
        let mending = [management::POLICIES_READ, management::POLICIES_WRITE];
        if !permissions.iter().all(|permission| mending.contains(permission)) {
            return Deed::Use;
        }
        let owner = self.entry.owner.state.load();
        let everything = Pattern::parse("**").ok();
        let has_all = everything.is_some_and(|all| owner.reach.covers(&self.entry.place, &all, None));
        let is_owner = self.session.is_some() && has_all;
        if is_owner || self.entry.may(management::INSTALLATION_ADMIN, None) { Deed::Mend } else { Deed::Use }
    }

    /// Its session.
    ///
    /// # Errors
    /// [`Refused::NeedsSession`] when it is a key.
    pub(crate) fn signed_in(&self) -> Result<&SessionProof, Refused> {
        self.session.as_ref().ok_or(Refused::NeedsSession)
    }
}

impl Keystead {
    /// Who a raw key is, as a caller of Keystead's own API, as far as this node knows. Takes nothing
    /// from its limits yet.
    ///
    /// # Errors
    /// With the verdict `malformed`, `not_found`, `wrong_secret` or `unavailable`.
    pub fn identify(&self, token: &str, origin: Origin) -> Result<Caller, Refused> {
        let at = self.clock.now();
        self.called(self.keyring.find(&Scope::System, token, at), origin, at)
    }

    fn called(&self, found: Result<Entry, Code>, origin: Origin, at: Micros) -> Result<Caller, Refused> {
        let entry = found.map_err(|code| {
            self.counters.count_unknown_caller();
            refuse(&Verdict::of(code))
        })?;
        Ok(Caller { entry, origin, session: None, at })
    }

    /// The same, where another node may have made the key a moment ago.
    ///
    /// # Errors
    /// As [`Self::identify`].
    pub async fn recognise(&self, token: &str, origin: Origin) -> Result<Caller, Refused> {
        let at = self.clock.now();
        match self.keyring.find(&Scope::System, token, at) {
            // Whatever was found: it may have come by the feed while that was looked for.
            Err(Code::NotFound) => {
                self.seek(token).await;
                self.identify(token, origin)
            }
            found => self.called(found, origin, at),
        }
    }

    /// Lets the caller act, or not: the whole verdict of its key on this permission, on `resource`
    /// (a project's or environment's; `None` means the whole organization, which a grant that is
    /// narrowed to a project does not reach).
    ///
    /// # Errors
    /// With the verdict; `Forbidden` names the permission that is missing.
    pub async fn authorise(
        self: &Arc<Self>,
        caller: &Caller,
        permission: &'static str,
        resource: Option<&str>,
    ) -> Result<(), Refused> {
        self.authorise_together(caller, permission, &[], resource).await
    }

    /// The same for one permission with `others`, which the caller has, as far as it was looked: what is used
    /// of a key is seen whole.
    async fn authorise_together(
        self: &Arc<Self>,
        caller: &Caller,
        permission: &'static str,
        others: &[&'static str],
        resource: Option<&str>,
    ) -> Result<(), Refused> {
        let parsed;
        let query = match (others, VERIFYING.as_ref()) {
            ([], Some(verifying)) if permission == management::KEYS_VERIFY => verifying,
            _ => {
                parsed = needing(permission, others)?;
                &parsed
            }
        };
        let ask = Ask {
            resource,
            permissions: Some(query),
            cost: 1,
            sharing: &self.sharing,
            deed: if others.is_empty() { caller.deed(&[permission]) } else { Deed::Use },
            ..caller.ask()
        };
        let now = self.clock.now();
        let verdict = self.settle(Some(&caller.entry), &ask, now).await;
        self.note_rotation(&caller.entry, verdict.code, now);
        if caller.session.is_none() && (permission != management::KEYS_VERIFY || !others.is_empty()) {
            // An asker's own authentication is no usage of its own: it would double every verdict.
            let user_agent = caller.origin.user_agent.as_deref();
            let subject = Subject::Key(&caller.entry);
            self.usage.record(UsageEvent::new(subject, &ask, user_agent, verdict.code, now));
        }
        match verdict.code {
            Code::Valid => Ok(()),
            Code::InsufficientPermissions => Err(Refused::Forbidden {
                permission,
                resource: resource.unwrap_or("the organization").to_owned(),
            }),
            Code::ConditionDenied => match forbidden(&caller.entry, &ask, now) {
                Some(forbidden) => Err(Refused::policy(&forbidden)),
                None => Err(refuse(&verdict)),
            },
            _ => Err(refuse(&verdict)),
        }
    }

    /// Lets the caller do what needs no permission, such as seeing itself: its key must pass, so whoever was
    /// disabled may not even that.
    ///
    /// # Errors
    /// With the verdict.
    pub(crate) async fn admit(self: &Arc<Self>, caller: &Caller) -> Result<(), Refused> {
        let ask = Ask { cost: 1, sharing: &self.sharing, ..caller.ask() };
        let now = self.clock.now();
        let verdict = self.settle(Some(&caller.entry), &ask, now).await;
        self.note_rotation(&caller.entry, verdict.code, now);
        pass(&verdict)
    }

    /// Authorises one request that needs several rights: it takes of the caller's limits once, and nothing
    /// when a right is missing.
    ///
    /// # Errors
    /// As [`Self::authorise`], for the first that is missing.
    pub(crate) async fn authorise_all(
        self: &Arc<Self>,
        caller: &Caller,
        permissions: &[&'static str],
        resource: Option<&str>,
    ) -> Result<(), Refused> {
        let missing = permissions.iter().find(|permission| !caller.entry.may(permission, resource));
        let (permission, others) = match (missing, permissions) {
            (Some(missing), _) => (missing, &[][..]),
            (None, [first, others @ ..]) => (first, others),
            (None, []) => return Ok(()),
        };
        self.authorise_together(caller, permission, others, resource).await
    }

    /// The same for one right on several resources.
    ///
    /// # Errors
    /// As [`Self::authorise`], for the first resource on which it is missing.
    pub(crate) async fn authorise_on_all(
        self: &Arc<Self>,
        caller: &Caller,
        permission: &'static str,
        resources: &[&str],
    ) -> Result<(), Refused> {
        let missing = resources.iter().find(|resource| !caller.may(permission, Some(resource)));
        match missing.or(resources.first()) {
            Some(resource) => self.authorise(caller, permission, Some(resource)).await,
            None => Ok(()),
        }
    }

    /// Whether the caller is the installation's administrator, and no policy forbids it to be.
    #[must_use]
    pub fn is_operator(&self, caller: &Caller) -> bool {
        caller.may(management::INSTALLATION_ADMIN, None)
    }
}

/// What every asker for a verdict needs.
static VERIFYING: LazyLock<Option<Query>> = LazyLock::new(|| needing(management::KEYS_VERIFY, &[]).ok());

/// A request that needs these permissions.
fn needing(permission: &str, others: &[&str]) -> Result<Query, Invalid> {
    let one = |name: &str| PermissionQuery::One(name.into());
    if others.is_empty() {
        return Query::parse(&one(permission));
    }
    let all = [permission].into_iter().chain(others.iter().copied()).map(one).collect();
    Query::parse(&PermissionQuery::All(AllOf { all }))
}

/// Only `valid` passes.
pub(crate) fn pass(verdict: &Verdict) -> Result<(), Refused> {
    if verdict.code == Code::Valid { Ok(()) } else { Err(refuse(verdict)) }
}

pub(crate) fn refuse(verdict: &Verdict) -> Refused {
    Refused::Caller { code: verdict.code, retry_after_seconds: verdict.retry_after_ns.map(whole_seconds) }
}

/// Nanoseconds as whole seconds, rounded up: trying earlier would be refused again.
#[must_use]
pub const fn whole_seconds(nanoseconds: u64) -> u64 {
    nanoseconds.div_ceil(1_000_000_000)
}
