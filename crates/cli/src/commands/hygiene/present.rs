//! A report as people read it.

use crate::exit::{Exit, Outcome};
use crate::flags::named::name;
use crate::output::table::{Cell, Tone};
use crate::session::Session;
use keystead_sdk::api::{HygieneFinding, HygieneKey, HygieneReport, HygieneSeverity};

const HEADINGS: [&str; 6] = ["SCORE", "KEY", "NAME", "SEVERITY", "FINDING", "WHY"];
/// Below this, a score is bad; below the second, it could be better.
const BAD: u32 = 60;
const GOOD: u32 = 90;

/// The score, the questions, what to mend, and the commands.
pub(super) fn report(session: &Session, report: &HygieneReport, is_all: bool) -> Outcome {
    let output = &session.output;
    if output.is_json() {
        output.json(report)?;
        return Ok(Exit::Done);
    }
    output.fields(&summary(report))?;
    let findings = || report.items.iter().flat_map(|key| key.findings.iter().map(move |found| (key, found)));
    if report.items.is_empty() {
        output.note("Nothing to mend there.");
    } else {
        output.data("\n")?;
        output.columns(&HEADINGS, &findings().map(|(key, found)| row(key, found)).collect::<Vec<_>>())?;
        output.data("\n")?;
        let fixes: Vec<_> = findings().map(|(_, found)| vec![fix(found)]).collect();
        output.columns(&["FIX, IN THE SAME ORDER"], &fixes)?;
    }
    if let Some(cursor) = &report.next_cursor {
        output.note(&if is_all {
            format!("There are more than these {}: --csv and --ndjson print all.", report.items.len())
        } else {
            format!("There are more: add --cursor {cursor}, or --all.")
        });
    }
    Ok(Exit::Done)
}

fn summary(report: &HygieneReport) -> Vec<(&str, Cell)> {
    let checked = &report.checked;
    let mut fields = vec![
        ("score", Cell::new(&format!("{} of 100", report.score), tone(report.score))),
        (
            "keys",
            format!("{}, of which {} should be mended", checked.keys, checked.keys_with_findings).into(),
        ),
    ];
    for answer in &report.questions {
        let cell = match answer.keys {
            0 => Cell::new("no", Tone::Good),
            keys => Cell::new(&format!("yes: {keys} (--finding {})", name(&answer.finding)), Tone::Bad),
        };
        fields.push((&answer.text, cell));
    }
    let counts: Vec<String> =
        checked.by_finding.iter().map(|(code, keys)| format!("{} {keys}", name(code))).collect();
    fields.push(("findings", Cell::list(&counts)));
    fields
}

fn tone(score: u32) -> Tone {
    if score < BAD {
        Tone::Bad
    } else if score < GOOD {
        Tone::Warning
    } else {
        Tone::Good
    }
}

fn row(key: &HygieneKey, found: &HygieneFinding) -> Vec<Cell> {
    let severity = match found.severity {
        HygieneSeverity::Critical | HygieneSeverity::High => Tone::Bad,
        HygieneSeverity::Medium => Tone::Warning,
        HygieneSeverity::Low => Tone::Normal,
    };
    vec![
        Cell::new(&key.score.to_string(), tone(key.score)),
        key.id.as_str().into(),
        Cell::from(key.name.as_str()).shortened(30),
        Cell::new(&name(&found.severity), severity),
        name(&found.code).into(),
        found.detail.as_str().into(),
    ]
}

/// The command; in words where none does it.
fn fix(found: &HygieneFinding) -> Cell {
    found.command.as_deref().unwrap_or(&found.fix).into()
}
