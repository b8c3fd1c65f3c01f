//! What the database says of the installation: its schema, who else has it open, and when it was last written.

use super::{Finding, mode};
use keystead_domain::time::{Clock, Micros, SECOND};
use keystead_server::configuration::Configuration;
use keystead_service::SystemClock;
use keystead_store::{Database, Inspection, inspect};
use std::path::Path;

/// No clock of a machine that runs this can be earlier: 2026-01-01.
const EARLIEST: Micros = Micros(1_767_225_600 * SECOND);

/// What is found there, or why nothing is.
pub(super) async fn look(configuration: &Configuration) -> Result<Inspection, String> {
    let database = Database::parse(configuration.database.expose()).map_err(|error| error.to_string())?;
    inspect(&database).await.map_err(|error| error.to_string())
}

/// Whether it holds an installation.
pub(super) fn exists(inspected: &Result<Inspection, String>) -> bool {
    inspected.as_ref().is_ok_and(|inspection| inspection.schema.is_some())
}

/// The database, its files, the servers that share it, and the clock beside its newest record.
pub(super) fn examine(configuration: &Configuration, inspected: Result<Inspection, String>) -> Vec<Finding> {
    let mut findings = vec![finding(configuration, &inspected)];
    if let Ok(Database::Sqlite(path)) = Database::parse(configuration.database.expose()) {
        findings.extend(files(&path));
    }
    let inspected = inspected.ok();
    findings.extend(inspected.as_ref().and_then(nodes));
    findings.push(clock(inspected.and_then(|inspection| inspection.last_act_at)));
    findings
}

fn finding(configuration: &Configuration, inspected: &Result<Inspection, String>) -> Finding {
    let name = configuration.database.masked();
    match inspected {
        Err(error) => Finding::failed(
            "database",
            error.clone(),
            "Check that it is reachable, and the setting `database`.",
        ),
        Ok(Inspection { schema: None, .. }) => Finding::warning(
            "database",
            format!("{name} holds no installation yet."),
            "keystead serve creates it.",
        ),
        Ok(Inspection { schema: Some(found), supported, accepted, in_use, .. }) => {
            let used = if *in_use { ", used by a running server" } else { "" };
            if !accepted {
                Finding::failed(
                    "database",
                    format!("{name} has schema {found}; this binary knows {supported}."),
                    "Install the newer keystead again.",
                )
            } else if found > supported {
                Finding::warning(
                    "database",
                    format!("{name} has schema {found}; this binary knows {supported} and works on it."),
                    "Finish the upgrade: install the newer keystead here, too.",
                )
            } else {
                Finding::ok("database", format!("{name} has schema {found} of {supported}{used}."))
            }
        }
    }
}

fn files(path: &Path) -> Vec<Finding> {
    let files = ["", "-wal", "-shm"].map(|end| format!("{}{end}", path.display()));
    let exposed =
        files.iter().filter_map(|file| Some((file, mode(Path::new(file)).filter(|mode| mode & 0o077 != 0)?)));
    exposed
        .map(|(file, mode)| {
            Finding::failed(
                "database file",
                format!("{file} may be read by others (mode {mode:o})."),
                format!("chmod 600 {file}"),
            )
        })
        .collect()
}

/// The servers that share the database; nothing where there are none.
fn nodes(inspection: &Inspection) -> Option<Finding> {
    let (_, first, _) = inspection.nodes.first()?;
    let shown: Vec<_> = inspection
        .nodes
        .iter()
        .map(|(name, version, seen_at)| format!("{name} ({version}, seen {seen_at:?})"))
        .collect();
    let shown = format!("{} share the database: {}.", shown.len(), shown.join(", "));
    Some(if inspection.nodes.iter().all(|(_, version, _)| version == first) {
        Finding::ok("nodes", shown)
    } else {
        let fix = "Finish the upgrade: what only the newer version knows holds on its nodes only.";
        Finding::warning("nodes", shown, fix)
    })
}

fn clock(last_act_at: Option<Micros>) -> Finding {
    let now = SystemClock.now();
    let fix = "Set the clock, and keep it right with NTP: expiry, limits and the audit depend on it.";
    match last_act_at {
        _ if now < EARLIEST => Finding::failed("clock", format!("It says {now:?}, which is long past."), fix),
        Some(last) if now.since(last) < -SECOND => Finding::failed(
            "clock",
            format!("It says {now:?}, but the newest audit record is of {last:?}."),
            fix,
        ),
        _ => Finding::ok("clock", format!("{now:?}, after everything in the audit.")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;
    use keystead_server::configuration::load;

    #[test]
    fn an_upgrade_of_node_by_node_is_no_failure() {
        let configuration = load(&[], []).unwrap().configuration;
        let health = |schema, accepted| {
            let found = Inspection { schema: Some(schema), supported: 9, accepted, ..Inspection::default() };
            finding(&configuration, &Ok(found)).health
        };
        assert_eq!(health(9, true), Health::Ok);
        assert_eq!(health(10, true), Health::Warning);
        assert_eq!(health(10, false), Health::Failed);
    }
}
