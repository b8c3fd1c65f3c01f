//! The environments whose APIs the installation's own proxies stand before.

use super::ask::{Door, at_once, question};
use crate::Keystead;
use crate::asked::Question;
use crate::refused::Refused;
use keystead_api::{Code, GuardMode};
use keystead_domain::cells::Place as Environment;
use keystead_domain::decide::{Ask, Decision};
use keystead_domain::ids::OrganizationId;
use keystead_guard::{Reading, Refusal, Request};
use std::net::IpAddr;
use std::sync::Arc;

impl Keystead {
    /// The organization that the installation's own proxy is for: that of the name (id or slug), or the only one.
    ///
    /// # Errors
    /// When there is none, or there are several and none was named.
    pub async fn own_organization(self: &Arc<Self>, name: Option<&str>) -> Result<OrganizationId, Refused> {
        let mut reader = self.store.read().await?;
        let Some(name) = name else {
            let rows = reader.organizations(None, 2).await?;
            let fix = "Name the one whose keys are asked, as `organization` of the guard or door.";
            return match &rows[..] {
                [] => Err(Refused::not_found("organization")),
                [only] => Ok(only.id),
                _ => Err(Refused::conflict("There are several organizations.", fix)),
            };
        };
        let row = match name.parse::<OrganizationId>() {
            Ok(id) => reader.organization(id).await?,
            Err(_) => reader.organization_by_slug(name).await?,
        };
        row.map(|row| row.id).ok_or(Refused::not_found("organization"))
    }

    /// An environment by names, as they are now; no wait. Keystead's own API is none: it guards itself.
    #[must_use]
    pub fn own_environment(
        &self,
        organization: OrganizationId,
        project: &str,
        environment: &str,
    ) -> Option<Arc<Environment>> {
        let directory = &self.keyring.directory;
        let project = directory.project(organization, project).filter(|project| !project.system)?;
        directory.place(project.id, environment)
    }

    /// Why a request that passed would not pass now, with nothing taken or recorded: so that what it began, such as a
    /// WebSocket, ends with its key. A node that cannot know of every change ends nothing; an observing guard neither.
    #[must_use]
    pub fn refused_since(&self, door: &Door, request: &Request<'_>, peer: Option<IpAddr>) -> Option<Refusal> {
        let (mode, refusal) = match door.rules().read(request) {
            Reading::Pass(_) | Reading::Count { .. } => return None,
            Reading::Refuse { mode, fault, .. } => (mode, at_once(fault)),
            Reading::Ask(asking) => {
                let ip = peer.map(|peer| door.rules().client(peer, request.headers));
                let code = match question(request, &asking, ip, &self.sharing) {
                    Ok(question) => self.would_be(door, question),
                    Err(_) => Code::Unavailable,
                };
                if code == Code::Valid {
                    return None;
                }
                (asking.mode, Refusal::of(code, None))
            }
        };
        (mode == GuardMode::Enforce).then_some(refusal)
    }

    fn would_be(&self, door: &Door, question: Question<'_>) -> Code {
        let (ask, now) = (Ask { cost: 0, ..question.ask }, self.clock.now());
        let judged = self.keyring.verify(&door.within.scope, question.key, &ask, now, |decision, _| decision);
        match judged {
            Ok(Decision::Made(verdict)) => verdict.code,
            // What is needed for that was leased once: nothing is taken now.
            Ok(Decision::NeedsLease(_)) | Err(Code::Unavailable) => Code::Valid,
            Err(code) => code,
        }
    }
}
