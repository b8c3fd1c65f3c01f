//! The policies that can be about keys of one project, and what is found out of a key alone.

use crate::facts::Question;
use crate::gate::Gate;
use crate::language::{MINT, VERIFY};
use crate::rules::AccessPolicy;
use crate::scope::{About, Doer, Site};
use crate::statement::{Says, Statement};
use keystead_domain::conditions::{Deed, Forbidden, Why};
use std::sync::Arc;

/// What can forbid a request of a project's keys.
#[derive(Debug)]
pub(crate) struct Relevant {
    pub(crate) broken: Option<Forbidden>,
    /// What each of `statements` is about, side by side: each verification looks at all of them.
    heads: Box<[Head]>,
    statements: Box<[(Arc<AccessPolicy>, usize)]>,
}

#[derive(Debug)]
struct Head {
    about: About,
    uses: bool,
    mints: bool,
}

impl Relevant {
    /// What of these policies can forbid what a key does; `None` where nothing can.
    pub(crate) fn of<'a>(policies: impl Iterator<Item = &'a Arc<AccessPolicy>>) -> Option<Self> {
        let (mut broken, mut heads, mut statements) = (None, Vec::new(), Vec::new());
        for policy in policies {
            match &policy.body {
                Err(_) => broken = Some(policy.forbids(Why::Broken)),
                Ok(body) => {
                    for (number, Statement { scope, .. }) in body.iter().enumerate() {
                        let (uses, mints) = (scope.is_about(VERIFY), scope.is_about(MINT));
                        if uses || mints {
                            heads.push(Head { about: scope.about, uses, mints });
                            statements.push((Arc::clone(policy), number));
                        }
                    }
                }
            }
        }
        let any = broken.is_some() || !statements.is_empty();
        any.then(|| Self { broken, heads: heads.into(), statements: statements.into() })
    }

    /// Which statements can be about what this key does there.
    pub(crate) fn concerning(&self, deed: Deed, doer: &Doer<'_>, site: &Site) -> impl Iterator<Item = usize> {
        let heads = self.heads.iter().enumerate();
        heads.filter_map(move |(index, head)| {
            let does = if deed == Deed::Mint { head.mints } else { head.uses };
            (does && head.about.concerns(doer, site)).then_some(index)
        })
    }

    pub(crate) fn statement(&self, index: usize) -> Option<(&AccessPolicy, &Statement)> {
        let (policy, number) = self.statements.get(index)?;
        Some((policy, policy.body.as_ref().ok()?.get(*number)?))
    }
}

/// What the key alone says of the policies that are about it.
#[derive(Debug, Clone)]
pub(crate) enum Open {
    /// One forbids whatever the request is.
    Forbidden(Forbidden),
    /// These are to be asked at each request; of the others none can forbid one.
    Ask(Arc<[usize]>),
}

impl Open {
    /// What the key alone says of those that touch it.
    pub(crate) fn of(touched: &[(usize, &AccessPolicy, &Statement)], question: &Question) -> Self {
        let mut open = Vec::new();
        for (index, policy, statement) in touched {
            match (&statement.gate, statement.opens(question)) {
                (_, false) => {}
                (Gate::Whole, true) => match statement.says(question) {
                    Says::Forbidden => return Self::Forbidden(policy.forbids(Why::Says)),
                    // What went wrong may go right the next time.
                    Says::Failed => open.push(*index),
                    Says::Nothing => {}
                },
                (Gate::Part(_) | Gate::None, true) => open.push(*index),
            }
        }
        Self::Ask(open.into())
    }
}
