//! One `forbid`, ready to be asked.

use crate::facts::Question;
use crate::gate::Gate;
use crate::language::Language;
use crate::scope::Scope;
use cedar_policy::{Authorizer, Policy, PolicySet};

/// What a statement says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Nothing,
    Forbidden,
    /// It could not be evaluated. Cedar itself would leave it out: of a `forbid` that would let everything pass.
    Failed,
}

/// One `forbid`.
#[derive(Debug)]
pub(crate) struct Statement {
    whole: PolicySet,
    pub(crate) gate: Gate,
    pub(crate) scope: Scope,
}

impl Statement {
    pub(crate) fn new(language: &Language, policy: Policy) -> Option<Self> {
        let (gate, scope) = (Gate::of(&policy)?, Scope::of(language, &policy));
        Some(Self { whole: PolicySet::from_policies([policy]).ok()?, gate, scope })
    }

    pub(crate) fn says(&self, question: &Question) -> Says {
        ask(&self.whole, question)
    }

    /// What it says as far as the key alone is concerned; where that cannot be told, the whole is to be asked.
    pub(crate) fn opens(&self, question: &Question) -> bool {
        match &self.gate {
            Gate::Part(gate) => ask(gate, question) != Says::Nothing,
            Gate::Whole | Gate::None => true,
        }
    }
}

fn ask(policies: &PolicySet, question: &Question) -> Says {
    let response = Authorizer::new().is_authorized(&question.request, policies, &question.entities);
    let diagnostics = response.diagnostics();
    if diagnostics.errors().next().is_some() {
        Says::Failed
    } else if diagnostics.reason().next().is_some() {
        Says::Forbidden
    } else {
        Says::Nothing
    }
}
