//! All policies of an organization, and what they forbid.

use crate::facts::{Circumstances, Named, Question, Subject, Target};
use crate::known::{Known, Snapshot};
use crate::language::{Language, MINT, VERIFY};
use crate::read::Mistake;
use crate::relevant::{Open, Relevant};
use crate::scope::{Doer, Site};
use crate::statement::{Says, Statement};
use keystead_domain::conditions::{Conditions, Deed, Forbidden, Why};
use keystead_domain::decide::Ask;
use keystead_domain::entry::Entry;
use keystead_domain::ids::{AccessPolicyId, EnvironmentId, OrganizationId, ProjectId};
use keystead_domain::time::Micros;
use std::fmt;
use std::sync::Arc;

/// A policy as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its id.
    pub id: AccessPolicyId,
    /// For which project it is; `None` for the whole organization.
    pub project: Option<ProjectId>,
    /// Its name.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Which change of it this is.
    pub version: i64,
}

/// A policy, ready to be asked.
#[derive(Debug)]
pub struct AccessPolicy {
    /// Its id.
    pub id: AccessPolicyId,
    /// For which project it is.
    pub project: Option<ProjectId>,
    /// Which change of it this is.
    pub version: i64,
    name: Arc<str>,
    pub(crate) body: Result<Vec<Statement>, Vec<Mistake>>,
}

impl AccessPolicy {
    /// Reads a policy. One that is none is kept, and forbids: what it would have forbidden is not known.
    #[must_use]
    pub fn new(language: &Language, source: Source<'_>) -> Self {
        let Source { id, project, name, text, version } = source;
        Self { id, project, version, name: name.into(), body: language.read(text) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with it.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        self.body.as_ref().err().map_or(&[], Vec::as_slice)
    }

    /// How many `forbid`s it has.
    #[must_use]
    pub fn statements(&self) -> usize {
        self.body.as_ref().map_or(0, Vec::len)
    }

    pub(crate) fn forbids(&self, why: Why) -> Forbidden {
        Forbidden { policy: self.id, name: Arc::clone(&self.name), why }
    }

    fn is_for(&self, project: Option<ProjectId>) -> bool {
        self.project.is_none() || self.project == project
    }

    fn why(&self, says: Says) -> Option<Forbidden> {
        match says {
            Says::Nothing => None,
            Says::Forbidden => Some(self.forbids(Why::Says)),
            Says::Failed => Some(self.forbids(Why::Failed)),
        }
    }
}

/// What a policy says of a request that is only tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which policy forbids it, and why.
    pub forbidden: Forbidden,
    /// Which of its `forbid`s, counted from 1; 0 for one that is not valid.
    pub statement: usize,
}

/// The names of a project, and of an environment in it.
pub type Resolve =
    Arc<dyn Fn(OrganizationId, ProjectId, Option<EnvironmentId>) -> Option<Target> + Send + Sync>;

/// The policies of an organization that are in force.
pub struct Rules {
    language: &'static Language,
    policies: Vec<Arc<AccessPolicy>>,
    known: Arc<Known>,
    resolve: Resolve,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("policies", &self.policies.len()).finish_non_exhaustive()
    }
}

impl Rules {
    /// Those in force, in the order in which they are asked.
    #[must_use]
    pub fn new(
        language: &'static Language,
        mut policies: Vec<Arc<AccessPolicy>>,
        known: Arc<Known>,
        resolve: Resolve,
    ) -> Self {
        policies.sort_by(|one, other| (one.project, &one.name).cmp(&(other.project, &other.name)));
        Self { language, policies, known, resolve }
    }

    /// A policy by its id, as it was last read.
    #[must_use]
    pub fn policy(&self, id: AccessPolicyId) -> Option<&Arc<AccessPolicy>> {
        self.policies.iter().find(|policy| policy.id == id)
    }

    /// All of them.
    #[must_use]
    pub fn policies(&self) -> &[Arc<AccessPolicy>] {
        &self.policies
    }

    /// What the keys of a project are asked for; nothing where no policy can be about one.
    #[must_use]
    pub fn conditions(self: &Arc<Self>, project: ProjectId, is_system: bool) -> Option<Arc<Conditions>> {
        let this = Arc::clone(self);
        if is_system {
            return (!self.policies.is_empty())
                .then(|| Arc::new(Conditions::new(move |entry, ask, now| this.administer(entry, ask, now))));
        }
        let relevant = Relevant::of(self.policies.iter().filter(|policy| policy.is_for(Some(project))))?;
        let relevant = Arc::new(relevant);
        Some(Arc::new(Conditions::new(move |entry, ask, now| this.verify(&relevant, entry, ask, now))))
    }

    /// Which policy forbids a request of a key. A key that none touches pays for comparisons; one that is known
    /// allocates only where a policy looks at the request.
    fn verify(
        &self,
        relevant: &Arc<Relevant>,
        entry: &Entry,
        ask: &Ask<'_>,
        now: Micros,
    ) -> Option<Forbidden> {
        if let Some(broken) = &relevant.broken {
            return Some(broken.clone());
        }
        let site = Site::of(entry);
        relevant.concerning(ask.deed, &Doer::new(entry), &site).next()?;
        let known = if ask.deed == Deed::Use { self.known.get(relevant, entry) } else { None };
        let seen = match known {
            Some(Open::Forbidden(forbidden)) => return Some(forbidden),
            Some(Open::Ask(open)) if open.is_empty() => return None,
            _ => Snapshot::of(entry),
        };
        let circumstances = Circumstances::of(ask, now);
        let action = if ask.deed == Deed::Mint { MINT } else { VERIFY };
        let question = self.question(&seen.subject(), action, &target_of(entry), &circumstances);
        // What cannot even be asked is forbidden by the first that should have been.
        let Some(question) = question else {
            let (policy, _) = relevant.statement(0)?;
            return Some(policy.forbids(Why::Failed));
        };
        let says = |(policy, statement): (&AccessPolicy, &Statement)| policy.why(statement.says(&question));
        if let Some(Open::Ask(open)) = known {
            return open.iter().filter_map(|index| relevant.statement(*index)).find_map(says);
        }
        let named = |index| relevant.statement(index).map(|(policy, statement)| (index, policy, statement));
        // One state of the owner for what is asked, what it is asked about, and what is remembered of it.
        let doer = Doer::whose_owner_was(entry, &seen.owner_state);
        let touched: Vec<_> = relevant.concerning(ask.deed, &doer, &site).filter_map(named).collect();
        if ask.deed == Deed::Use {
            let open = Open::of(&touched, &question);
            self.known.put(relevant, seen, open);
        }
        touched.into_iter().find_map(|(_, policy, statement)| says((policy, statement)))
    }

    /// Which policy forbids what a caller of Keystead's own API wants.
    fn administer(&self, entry: &Entry, ask: &Ask<'_>, now: Micros) -> Option<Forbidden> {
        let query = ask.permissions?;
        let site = Site::read(entry.place.project.organization, ask.resource);
        let mut concerned = self.policies.iter().filter(|policy| policy.is_for(site.project));
        if let Some(broken) = concerned.find(|policy| policy.body.is_err()) {
            return Some(broken.forbids(Why::Broken));
        }
        let mut forbidden = None;
        query.names(&mut |name| {
            if forbidden.is_some() {
                return;
            }
            let Some((first, _)) = self.concerning(name, &Doer::new(entry), &site).next() else { return };
            let seen = Snapshot::of(entry);
            let question =
                self.question(&seen.subject(), name, &self.target(&site), &Circumstances::of(ask, now));
            let doer = Doer::whose_owner_was(entry, &seen.owner_state);
            forbidden = match question {
                None => Some(first.forbids(Why::Failed)),
                Some(question) => self
                    .concerning(name, &doer, &site)
                    .find_map(|(policy, statement)| policy.why(statement.says(&question))),
            };
        });
        forbidden
    }

    /// What can forbid this person, or key, that act there.
    fn concerning(
        &self,
        action: &str,
        doer: &Doer<'_>,
        site: &Site,
    ) -> impl Iterator<Item = (&Arc<AccessPolicy>, &Statement)> {
        let policies = self.policies.iter().filter(|policy| policy.is_for(site.project));
        policies.flat_map(move |policy| {
            let concerns = move |statement: &&Statement| {
                statement.scope.is_about(action) && statement.scope.about.concerns(doer, site)
            };
            policy.body.iter().flatten().filter(concerns).map(move |statement| (policy, statement))
        })
    }

    /// Every policy that forbids something, which is not done.
    #[must_use]
    pub fn findings(
        &self,
        subject: &Subject,
        action: &str,
        (project, target): (Option<ProjectId>, &Target),
        circumstances: &Circumstances,
    ) -> Vec<Finding> {
        let question = self.question(subject, action, target, circumstances);
        let mut found = Vec::new();
        for policy in self.policies.iter().filter(|policy| policy.is_for(project)) {
            let Ok(statements) = &policy.body else {
                found.push(Finding { forbidden: policy.forbids(Why::Broken), statement: 0 });
                continue;
            };
            for (number, statement) in statements.iter().enumerate() {
                let says = question.as_ref().map_or(Says::Failed, |question| statement.says(question));
                found.extend(policy.why(says).map(|forbidden| Finding { forbidden, statement: number + 1 }));
            }
        }
        found
    }

    /// Who a key, or what stands for a session, is to policies.
    #[must_use]
    pub fn subject(entry: &Entry) -> Subject {
        Snapshot::of(entry).subject()
    }

    fn question(
        &self,
        subject: &Subject,
        action: &str,
        target: &Target,
        circumstances: &Circumstances,
    ) -> Option<Question> {
        Question::new(self.language, subject, action, target, circumstances)
    }

    fn target(&self, site: &Site) -> Target {
        let Some(project) = site.project else { return Target::default() };
        let found = (self.resolve)(site.organization, project, site.environment);
        found.unwrap_or_else(|| Target {
            project: Some(Named { id: project.to_string(), name: String::new() }),
            environment: site.environment.map(|id| Named { id: id.to_string(), name: String::new() }),
        })
    }
}

fn target_of(entry: &Entry) -> Target {
    let (place, project) = (&entry.place, &entry.place.project);
    Target {
        project: Some(Named { id: project.id.to_string(), name: project.slug.to_string() }),
        environment: Some(Named { id: place.environment.to_string(), name: place.slug.to_string() }),
    }
}
