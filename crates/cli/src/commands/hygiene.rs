//! `keystead hygiene`: which keys should be mended, why, and the command that does it.

mod lines;
mod present;

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::named::named;
use crate::flags::paging::Paging;
use crate::session::Session;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use keystead_domain::hygiene;
use keystead_sdk::api::{HygieneCode, HygieneCounts, HygieneKey, HygieneQuery, HygieneReport, HygieneSort};
use lines::Form;

/// Items that one call asks for, where all are wanted.
const PAGE: u32 = 1_000;
/// The most that `--all` gathers.
const ITEMS_MAX: usize = 100_000;

/// Show which keys should be mended, why, and how
///
/// Answers two questions: are you sharing admin-level keys, and is it hard to trace who made which
/// change? And finds keys that are never used, dormant, hold more than they use, never expire, are
/// overdue for rotation, may be used from anywhere, or are public and too strong. Nothing is
/// changed: each finding comes with a command to paste.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead hygiene
  keystead hygiene --project acme --environment production
  keystead hygiene --finding admin_key_shared --json
  keystead hygiene --all --sort newest
  keystead hygiene --csv > hygiene.csv
  keystead hygiene -p acme --ndjson | jq -r '.findings[].command'")]
pub(crate) struct Hygiene {
    /// Only this project (id or slug); by default every one whose keys the key may see
    #[arg(long, short, env = "KEYSTEAD_PROJECT", hide_env_values = true)]
    project: Option<String>,
    /// Only this environment of the project (id or slug)
    #[arg(long, short, requires = "project")]
    environment: Option<String>,
    /// Only this finding; scores and numbers are of all
    #[arg(long, value_name = "CODE", value_parser = PossibleValuesParser::new(HygieneCode::ALL.map(HygieneCode::as_str)).try_map(|word| named::<HygieneCode>(&word)))]
    finding: Option<HygieneCode>,
    /// Worst score first, or newest key first; of more than 100000 keys only newest
    #[arg(long, default_value = "score", conflicts_with_all = ["csv", "ndjson"], value_parser = PossibleValuesParser::new(["score", "newest"]).try_map(|word| named::<HygieneSort>(&word)))]
    sort: HygieneSort,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    export: Export,
}

/// Everything, for other programs.
#[derive(Debug, Args)]
struct Export {
    /// Print every finding as comma-separated values, for a spreadsheet
    #[arg(long, conflicts_with_all = ["limit", "cursor", "all"], help_heading = "Output")]
    csv: bool,
    /// Print every key with findings as one JSON object a line
    #[arg(long, conflicts_with_all = ["limit", "cursor", "all", "csv"], help_heading = "Output")]
    ndjson: bool,
}

impl Hygiene {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let form = match (self.export.csv, self.export.ndjson) {
            (false, false) => None,
            (true, _) => Some(Form::Csv),
            (_, true) => Some(Form::Ndjson),
        };
        let query = HygieneQuery {
            project: self.project,
            environment: self.environment,
            finding: self.finding,
            sort: Some(self.sort),
            ..HygieneQuery::default()
        };
        if let Some(form) = form {
            if session.output.is_json() {
                let what = "--json prints one answer, and --csv and --ndjson print lines.";
                return Err(Failure::usage(what, "Leave one out."));
            }
            return export(session, &query, form).await;
        }
        let report = if self.paging.all {
            gather(session, &query, self.sort).await?
        } else {
            let page = self.paging.query();
            session.client.hygiene(&HygieneQuery { limit: page.limit, cursor: page.cursor, ..query }).await?
        };
        present::report(session, &report, self.paging.all)
    }
}

/// Page after page, each looked at once.
async fn each_page(
    session: &Session,
    query: &HygieneQuery,
    mut then: impl FnMut(Vec<HygieneKey>) -> Result<bool, Failure>,
) -> Result<(HygieneCounts, Option<String>), Failure> {
    let (mut counts, mut cursor) = (HygieneCounts::default(), None);
    loop {
        let query =
            HygieneQuery { sort: Some(HygieneSort::Newest), limit: Some(PAGE), cursor, ..query.clone() };
        let page = session.client.hygiene(&query).await?;
        hygiene::add(&mut counts, &page.checked);
        let more = then(page.items)?;
        cursor = page.next_cursor;
        if cursor.is_none() || !more {
            return Ok((counts, cursor));
        }
    }
}

/// Everything in one report.
async fn gather(
    session: &Session,
    query: &HygieneQuery,
    sort: HygieneSort,
) -> Result<HygieneReport, Failure> {
    let mut items: Vec<HygieneKey> = Vec::new();
    let (checked, next_cursor) = each_page(session, query, |page| {
        items.extend(page);
        Ok(items.len() < ITEMS_MAX)
    })
    .await?;
    if sort == HygieneSort::Score {
        items.sort_by(|one, other| {
            one.score.cmp(&other.score).then_with(|| other.created_at.cmp(&one.created_at))
        });
    }
    Ok(HygieneReport {
        score: hygiene::whole_score(&checked),
        questions: hygiene::answers(&checked),
        checked,
        items,
        next_cursor,
    })
}

/// Everything, line by line: memory does not grow with the number of keys.
async fn export(session: &Session, query: &HygieneQuery, form: Form) -> Outcome {
    session.output.data(&form.head()?)?;
    let (counts, _) = each_page(session, query, |page| {
        session.output.data(&form.lines(&page)?)?;
        Ok(true)
    })
    .await?;
    session.output.note(&format!(
        "Score {} of 100: {} keys, of which {} should be mended.",
        hygiene::whole_score(&counts),
        counts.keys,
        counts.keys_with_findings
    ));
    Ok(Exit::Done)
}
