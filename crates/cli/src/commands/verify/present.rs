//! Verdicts for people.

use crate::commands::keys::{consumer_cell, credits_cell, limit_status_text, quota_status_text};
use crate::exit::Failure;
use crate::flags::named::name;
use crate::output::table::{Cell, Tone};
use crate::output::{Output, Present};
use keystead_sdk::api::{Check, CheckOutcome, Code, Verification, VerifiedBatch};

fn code_cell(code: Code) -> Cell {
    let tone = match code {
        Code::Valid => Tone::Good,
        Code::Unavailable | Code::RateLimited | Code::QuotaExceeded | Code::CreditsExhausted => Tone::Warning,
        _ => Tone::Bad,
    };
    Cell::new(code.as_str(), tone)
}

/// One row for each request, numbered as they were asked.
pub(super) fn batch(verdicts: &VerifiedBatch, output: &Output) -> Result<(), Failure> {
    let mut headings = vec!["#"];
    headings.extend(Verification::HEADINGS);
    let rows: Vec<Vec<Cell>> = verdicts
        .items
        .iter()
        .enumerate()
        .map(|(index, verdict)| std::iter::once(Cell::from(index.to_string())).chain(verdict.row()).collect())
        .collect();
    output.columns(&headings, &rows)
}

impl Present for Verification {
    const HEADINGS: &'static [&'static str] = &["CODE", "KEY", "ENVIRONMENT", "OWNER", "REQUEST"];

    fn row(&self) -> Vec<Cell> {
        vec![
            code_cell(self.code),
            Cell::maybe(self.key_id.as_deref()),
            Cell::maybe(self.environment.as_deref()),
            Cell::maybe(self.owner.as_ref().map(|owner| owner.name.as_str())).shortened(32),
            self.request_id.as_str().into(),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let owner = self.owner.as_ref();
        let mut fields = vec![
            ("verdict", code_cell(self.code)),
            ("key", Cell::maybe(self.key_id.as_deref())),
            ("project", Cell::maybe(self.project.as_deref())),
            ("environment", Cell::maybe(self.environment.as_deref())),
            ("owner", owner.map_or_else(Cell::none, |owner| format!("{} ({})", owner.name, owner.id).into())),
            ("consumer", consumer_cell(self.consumer.as_deref())),
            ("permissions", Cell::list(&self.permissions)),
            ("expires", Cell::time(self.expires_at)),
        ];
        if let Some(detail) = &self.detail {
            fields.insert(1, ("detail", name(detail).into()));
        }
        for narrowed in &*self.narrowed_permissions {
            let text = format!("{} on {}", narrowed.permission, narrowed.resources.join(", "));
            fields.push(("only on", text.into()));
        }
        fields.extend(self.limits.iter().map(|status| ("limit left", limit_status_text(status).into())));
        fields.extend(self.quotas.iter().map(|status| ("quota left", quota_status_text(status).into())));
        fields.push(("credits", credits_cell(self.credits.as_ref())));
        if let Some(seconds) = self.retry_after_seconds {
            fields.push(("try again in", format!("{seconds} s").into()));
        }
        if let Some(metadata) = &self.metadata {
            fields.push(("metadata", serde_json::json!(metadata).to_string().into()));
        }
        fields.extend(self.explanation.iter().map(|check| ("check", check_cell(check))));
        fields.push(("request", self.request_id.as_str().into()));
        fields
    }
}

fn check_cell(check: &Check) -> Cell {
    let tone = match check.outcome {
        CheckOutcome::Passed => Tone::Good,
        CheckOutcome::Failed => Tone::Bad,
        CheckOutcome::NotApplicable | CheckOutcome::Skipped => Tone::Faint,
    };
    let code = check.code.map(|code| format!(", {code}")).unwrap_or_default();
    Cell::new(&format!("{}: {}{code}: {}", check.check, name(&check.outcome), check.why), tone)
}
