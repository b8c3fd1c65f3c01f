//! Verifying an export: one organization, line by line.

use super::{Kept, Organization, Verified, VerifyFailed, tampered};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead_api::{AUDIT_EXPORT_FORMAT, AuditExportHead, AuditExportLine, AuditExportRecord};
use keystead_domain::audit::check::{Entry, Fault, Written};
use keystead_domain::audit::checkpoint::Verifier;
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The longest line that is read, in bytes.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// The lines of an export, numbered.
struct Lines {
    from: BufReader<File>,
    name: String,
    number: u64,
}

impl Lines {
    fn next(&mut self) -> Result<Option<AuditExportLine>, VerifyFailed> {
        let mut line = Vec::new();
        let read = (&mut self.from).take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        self.number += 1;
        match read {
            Err(error) => Err(VerifyFailed::File(self.name.clone(), error)),
            Ok(0) => Ok(None),
            Ok(_) => serde_json::from_slice(&line)
                .map(Some)
                .map_err(|_| self.refuse("it is no line of an audit export")),
        }
    }

    fn refuse(&self, what: &str) -> VerifyFailed {
        VerifyFailed::Line { line: self.number, what: what.to_owned() }
    }
}

/// The one organization of an export.
pub(super) fn verify(path: &Path, kept: &Kept) -> Result<Vec<Verified>, VerifyFailed> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| VerifyFailed::File(name.clone(), error))?;
    let mut lines = Lines { from: BufReader::new(file), name, number: 0 };
    let Some(AuditExportLine::Head(head)) = lines.next()? else {
        return Err(lines.refuse("an audit export begins with its head"));
    };
    let mut notes = Vec::new();
    let mut line = lines.next()?;
    while let Some(AuditExportLine::Checkpoint(checkpoint)) = line {
        notes.push(checkpoint.note);
        line = lines.next()?;
    }
    let mut organization = begin(&head, &notes, kept, &lines)?;
    let mut records = 0;
    let end = loop {
        let entry = match line {
            Some(AuditExportLine::Record(record)) => entry(record, &head)?,
            Some(AuditExportLine::Deleted(leaf)) => {
                Entry { position: leaf.position, leaf: bytes(&leaf.leaf), record: None }
            }
            Some(AuditExportLine::End(end)) => break end,
            Some(_) => return Err(lines.refuse("it stands in the wrong place")),
            None => return Err(lines.refuse("the export was cut off: it has no last line")),
        };
        organization.add(&entry)?;
        records += 1;
        line = lines.next()?;
    };
    let count = u64::try_from(notes.len()).unwrap_or(u64::MAX).saturating_add(records);
    if end.lines != count || records < head.size {
        let fault = Fault::Truncated { have: records, size: head.size, from: "the export's head".into() };
        return Err(tampered(&head.organization, fault));
    }
    if lines.next()?.is_some() {
        return Err(lines.refuse("it stands behind the end"));
    }
    Ok(vec![organization.end()?])
}

fn begin(
    head: &AuditExportHead,
    notes: &[String],
    kept: &Kept,
    lines: &Lines,
) -> Result<Organization, VerifyFailed> {
    if head.format != AUDIT_EXPORT_FORMAT {
        return Err(lines.refuse("this version does not know its format"));
    }
    let verifier: Verifier = head.verifier.parse().map_err(|_| lines.refuse("its verifier is none"))?;
    if verifier.name() != format!("keystead/{}", head.organization) {
        return Err(lines.refuse("its verifier is another organization's"));
    }
    // Whoever forges an export could name another organization, of which nobody has kept anything.
    if let Some((kept, from)) = kept.instead_of(verifier.name()) {
        return Err(VerifyFailed::Another {
            organization: head.organization.clone(),
            kept: kept.to_owned(),
            from: from.to_owned(),
        });
    }
    Organization::begin(head.organization.clone(), &verifier, notes, None, kept)
}

/// What a record says of itself: once, so that no reader takes it for another.
#[derive(Deserialize)]
struct Named {
    position: u64,
    id: String,
    organization: String,
}

/// The leaf is of the text: a line that gives it another place or organization is no proof of anything.
fn entry(line: AuditExportRecord, head: &AuditExportHead) -> Result<Entry, VerifyFailed> {
    let (position, text) = (line.position, line.record.get().to_owned());
    let named: Option<Named> = serde_json::from_str(&text).ok();
    let fits = named
        .as_ref()
        .is_some_and(|named| named.position == position && named.organization == head.organization);
    let id = named.map(|named| named.id).unwrap_or_default();
    if !fits {
        return Err(tampered(&head.organization, Fault::Changed { position, id }));
    }
    let record = Some(Written { id, salt: bytes(&line.salt), text });
    Ok(Entry { position, leaf: bytes(&line.leaf), record })
}

/// What is of another length fits nothing.
fn bytes<const N: usize>(text: &str) -> [u8; N] {
    STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
}
