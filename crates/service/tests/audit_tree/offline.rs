//! Exports and backups, verified without a server.

use crate::house::*;
use crate::tampering::{found, grown};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead_api::*;
use keystead_domain::audit::record::leaf;
use keystead_domain::time::{Micros, SECOND};
use keystead_service::Keystead;
use keystead_service::audit_verify::{Kept, Source, VerifyFailed, verify};
use keystead_service::backup::{self, Keys, Recipients};
use keystead_service::caller::Caller;
use keystead_store::Database;
use keystead_store::testing::tamper;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// The lines of an export, as they are sent.
async fn export(keystead: &Arc<Keystead>, caller: &Caller) -> Vec<String> {
    let mut export = keystead.export_audit(caller).await.unwrap();
    let mut lines = Vec::new();
    while let Some(page) = keystead.export_audit_page(&mut export).await.unwrap() {
        lines.extend(page.iter().map(|line| serde_json::to_string(line).unwrap()));
    }
    lines
}

async fn verified(path: &Path, lines: &[String]) -> Result<u64, VerifyFailed> {
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
    let verified = verify(Source::Export(path), &Kept::default()).await?;
    Ok(verified[0].found.records)
}

pub(crate) async fn an_export_and_a_backup_verify_as_the_database_does(house: House) {
    let notes = grown(&house).await;
    let folder = tempfile::tempdir().unwrap();
    let lines = export(&house.keystead, &house.admin()).await;
    assert!(lines.iter().any(|line| line.contains("audit.export")), "an export is recorded");
    let records = verified(&folder.path().join("a.ndjson"), &lines).await.unwrap();
    Arc::clone(&house.keystead).close().await;
    assert_eq!(found(house.database()).await.unwrap()[0].found.records, records);

    let path = folder.path().join("a.backup");
    let recipients = Recipients::passphrase("a passphrase of some length").unwrap();
    backup::write(house.database(), &path, &recipients, Micros(0)).await.unwrap();
    let keys = Keys::passphrase("a passphrase of some length").unwrap();
    let mut kept = Kept::default();
    kept.add_notes("kept.txt", &notes.join("")).unwrap();
    let of_backup = verify(Source::Backup(&path, &keys), &kept).await.unwrap();
    assert_eq!(of_backup[0].found.records, records);
    let wrong = Keys::passphrase("another passphrase of some length").unwrap();
    let locked = verify(Source::Backup(&path, &wrong), &kept).await.unwrap_err();
    assert!(!locked.is_tampering(), "{locked}");
}

pub(crate) async fn an_export_that_was_changed_is_refused(house: House) {
    grown(&house).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let lines = export(&house.keystead, &house.admin()).await;
    verified(&path, &lines).await.unwrap();
    let record = lines.iter().position(|line| line.contains("b.read")).unwrap();
    let change = |change: &dyn Fn(&mut Vec<String>)| {
        let mut changed = lines.clone();
        change(&mut changed);
        changed
    };
    let tampered = [
        change(&|lines| lines[record] = lines[record].replace("b.read", "x.read")),
        // The same to a reader of JSON, and not byte for byte.
        change(&|lines| lines[record] = lines[record].replace("b.read", "b\\u002eread")),
        change(&|lines| drop(lines.remove(record))),
        change(&|lines| lines.swap(record, record + 1)),
        change(&|lines| lines.insert(record, lines[record].clone())),
        change(&|lines| drop(lines.remove(lines.len() - 2))),
    ];
    for changed in tampered {
        let failed = verified(&path, &changed).await.unwrap_err();
        assert!(failed.is_tampering(), "{failed}");
    }
    let unreadable = [
        change(&|lines| drop(lines.pop())),
        change(&|lines| lines.truncate(0)),
        change(&|lines| drop(lines.remove(0))),
        change(&|lines| lines[record] = "{}".into()),
        change(&|lines| lines.push(lines[record].clone())),
    ];
    for changed in unreadable {
        let failed = verified(&path, &changed).await.unwrap_err();
        assert!(matches!(failed, VerifyFailed::Line { .. }), "{failed}");
    }
}

/// Whoever forges an export signs it with a key of their own, and must not get by with another's name on it.
pub(crate) async fn an_export_of_another_is_not_what_was_kept(house: House) {
    let notes = grown(&house).await;
    let other = house.tenant("other").await;
    house.keystead.sequence_audit().await.unwrap();
    house.keystead.sign_audit().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let foreign = export(&house.keystead, &other).await;
    verified(&path, &foreign).await.unwrap();
    let verifier =
        |kept: &mut Kept, caller: &Value| kept.add_verifier(caller.as_str().unwrap().parse().unwrap());
    let own = export(&house.keystead, &house.admin()).await;
    let head =
        |lines: &[String]| serde_json::from_str::<Value>(&lines[0]).unwrap()["data"]["verifier"].clone();
    for with_notes in [false, true] {
        let mut kept = Kept::default();
        if with_notes {
            kept.add_notes("kept.txt", &notes.join("")).unwrap();
        } else {
            verifier(&mut kept, &head(&own));
        }
        std::fs::write(&path, foreign.join("\n") + "\n").unwrap();
        let failed = verify(Source::Export(&path), &kept).await.unwrap_err();
        assert!(failed.is_tampering(), "{failed}");
        std::fs::write(&path, own.join("\n") + "\n").unwrap();
        verify(Source::Export(&path), &kept).await.unwrap();
        // What was kept of several organizations fits the export of one.
        verifier(&mut kept, &head(&foreign));
        verify(Source::Export(&path), &kept).await.unwrap();
    }
}

/// A record with a leaf that fits it, and no checkpoint beside it that tells.
pub(crate) async fn a_record_of_another_place_or_organization_is_refused(house: House) {
    grown(&house).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let mut lines = export(&house.keystead, &house.admin()).await;
    lines.retain(|line| !line.contains("\"checkpoint\""));
    let end = lines.len() - 1;
    lines[end] = json!({"type": "end", "data": {"lines": end - 1}}).to_string();
    verified(&path, &lines).await.unwrap();
    let at = lines.iter().position(|line| line.contains("b.read")).unwrap();
    let export: AuditExportLine = serde_json::from_str(&lines[at]).unwrap();
    let AuditExportLine::Record(record) = export else { panic!("no record") };
    let (text, place) = (record.record.get(), format!("\"position\":{},", record.position));
    let organization = house.admin().organization().to_string();
    for changed in [
        text.replace(&place, "\"position\":0,"),
        text.replace(&place, ""),
        text.replace(&place, &format!("{place}\"position\":0,")),
        text.replace(&organization, "org_03mtwDFyaDSKmhf9rg7Ps2"),
    ] {
        assert_ne!(changed, text);
        let salt = STANDARD.decode(&record.salt).unwrap().try_into().unwrap();
        let line = AuditExportLine::Record(AuditExportRecord {
            leaf: STANDARD.encode(leaf(&salt, &changed)),
            record: serde_json::value::RawValue::from_string(changed).unwrap(),
            ..record.clone()
        });
        let mut forged = lines.clone();
        forged[at] = serde_json::to_string(&line).unwrap();
        let failed = verified(&path, &forged).await.unwrap_err();
        assert!(failed.is_tampering(), "{failed}");
    }
}

pub(crate) async fn a_tenant_exports_and_sees_its_own(house: House) {
    grown(&house).await;
    let other = house.tenant("other").await;
    house.keystead.sequence_audit().await.unwrap();
    house.keystead.sign_audit().await.unwrap();
    let lines = export(&house.keystead, &other).await;
    let id = other.organization().to_string();
    assert!(lines.iter().all(|line| !line.contains("b.read")), "{lines:?}");
    assert!(lines[0].contains(&id), "{}", lines[0]);
    let checkpoints = house.keystead.list_checkpoints(&other, &page(10, None)).await.unwrap();
    assert!(!checkpoints.items.is_empty());
    assert!(checkpoints.items.iter().all(|checkpoint| checkpoint.note.contains(&id)));
    let nothing = house.key_of(&other, Vec::new()).await;
    assert!(house.keystead.export_audit(&nothing).await.is_err());
    assert!(house.keystead.list_checkpoints(&nothing, &page(10, None)).await.is_err());
}

pub(crate) async fn retention_leaves_what_verifies(mut house: House) {
    grown(&house).await;
    house.retain_audit_for(30 * 86_400).await;
    let admin = house.admin();
    let before = house.keystead.list_audit(&admin, &AuditQuery::default()).await.unwrap().items.len();
    house.keystead.delete_old_audit().await.unwrap();
    let kept = house.keystead.list_audit(&admin, &AuditQuery::default()).await.unwrap().items.len();
    assert_eq!(kept, before, "nothing is old yet");
    house.clock.step(31 * 86_400 * SECOND);
    house.permission(&admin, "acme", "new.read").await;
    house.keystead.sequence_audit().await.unwrap();
    // As two nodes may, or a node and its hourly job.
    let (one, other) = tokio::join!(house.keystead.delete_old_audit(), house.keystead.delete_old_audit());
    one.and(other).unwrap();
    let left = house.keystead.list_audit(&admin, &AuditQuery::default()).await.unwrap().items;
    let mut left: Vec<&str> = left.iter().map(|record| record.action.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, ["audit.delete_old", "permission.create"]);
    let folder = tempfile::tempdir().unwrap();
    let lines = export(&house.keystead, &admin).await;
    assert_eq!(lines.iter().filter(|line| line.contains("\"deleted\",")).count(), before);
    verified(&folder.path().join("a.ndjson"), &lines).await.unwrap();
    Arc::clone(&house.keystead).close().await;
    let found = found(house.database()).await.unwrap();
    assert_eq!(found[0].found.deleted, u64::try_from(before).unwrap());
    assert_eq!(found[0].found.vouched, found[0].found.records);
}

/// Many records behind the installation's back, more than one page of an export.
async fn many(house: &House) {
    let id = match house.database() {
        Database::Sqlite(_) => "randomblob(16)",
        Database::Postgres(_) => "decode(md5(random()::text), 'hex')",
    };
    let insert = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) \
         INSERT INTO audit (id, organization_id, at, actor_kind, action, target_kind, target_id, target_name) \
         SELECT {id}, organization_id, at, actor_kind, 'test', target_kind, target_id, target_name FROM n, audit \
         WHERE action = 'installation.create'"
    );
    tamper(house.database(), &insert).await;
    house.keystead.sequence_audit().await.unwrap();
    house.keystead.sign_audit().await.unwrap();
}

/// Retention goes on while an export is sent: that must not look like a hole that somebody made.
pub(crate) async fn retention_during_an_export_is_not_called_tampering(mut house: House) {
    grown(&house).await;
    house.retain_audit_for(30 * 86_400).await;
    many(&house).await;
    let admin = house.admin();
    house.clock.step(31 * 86_400 * SECOND);
    house.permission(&admin, "acme", "new.read").await;
    house.keystead.sequence_audit().await.unwrap();
    // Two exports: of one a page of records has been sent when the records are deleted.
    let (mut early, mut late) = (
        house.keystead.export_audit(&admin).await.unwrap(),
        house.keystead.export_audit(&admin).await.unwrap(),
    );
    let mut sent = 0;
    while sent == 0 {
        let page = house.keystead.export_audit_page(&mut late).await.unwrap().unwrap();
        sent = page.iter().filter(|line| matches!(line, AuditExportLine::Record(_))).count();
    }
    house.keystead.delete_old_audit().await.unwrap();
    house.keystead.export_audit_page(&mut late).await.unwrap_err();
    let ended = loop {
        match house.keystead.export_audit_page(&mut early).await {
            Ok(Some(_)) => {}
            ended => break ended,
        }
    };
    assert!(ended.is_err());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let lines = export(&house.keystead, &admin).await;
    assert!(lines.iter().filter(|line| line.contains("\"deleted\",")).count() > 500);
    verified(&path, &lines).await.unwrap();
    // A hole that somebody made is sent, and told.
    let last = "(SELECT max(position) - 1 FROM audit WHERE action <> 'organization.create')";
    tamper(
        house.database(),
        &format!(
            "INSERT INTO audit_deleted (audit_id, organization_id, position, leaf) \
             SELECT id, organization_id, position, leaf FROM audit WHERE position = {last}; \
             DELETE FROM audit WHERE position = {last}"
        ),
    )
    .await;
    let failed = verified(&path, &export(&house.keystead, &admin).await).await.unwrap_err();
    assert!(failed.is_tampering(), "{failed}");
}

/// A clock that is far ahead says that everything is old.
pub(crate) async fn a_clock_ahead_destroys_no_audit(mut house: House) {
    grown(&house).await;
    house.retain_audit_for(30 * 86_400).await;
    let admin = house.admin();
    let before = house.keystead.list_audit(&admin, &AuditQuery::default()).await.unwrap().items;
    house.clock.step(366 * 86_400 * SECOND);
    house.keystead.delete_old_audit().await.unwrap();
    assert_eq!(house.keystead.list_audit(&admin, &AuditQuery::default()).await.unwrap().items, before);
}
