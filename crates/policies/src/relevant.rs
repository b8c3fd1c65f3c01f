//! The policies that can be about keys of one project, and what is found out of a key alone.

use crate::facts::Question;
use crate::gate::Gate;
use crate::rules::AccessPolicy;
use crate::statement::{Says, Statement};
use keystead_domain::conditions::{Forbidden, Why};
use std::sync::Arc;

/// What can forbid a request of a project's keys.
#[derive(Debug)]
pub(crate) struct Relevant {
    pub(crate) broken: Option<Forbidden>,
    pub(crate) statements: Box<[(Arc<AccessPolicy>, usize)]>,
}

impl Relevant {
    pub(crate) fn statement(&self, index: usize) -> Option<(&AccessPolicy, &Statement)> {
        let (policy, number) = self.statements.get(index)?;
        Some((policy, policy.body.as_ref().ok()?.get(*number)?))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, &AccessPolicy, &Statement)> {
        (0..self.statements.len())
            .filter_map(|index| self.statement(index).map(|(policy, statement)| (index, policy, statement)))
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
