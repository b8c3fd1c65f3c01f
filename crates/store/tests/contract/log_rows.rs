//! Which rows the log has: those that a transaction wrote, and no others.

use crate::approvals::approval_row;
use crate::guardrails::guardrails_of;
use crate::imports::import_row;
use crate::ledger::meter_row;
use crate::log::*;
use crate::rotation::{notice, plan, rotation};
use crate::world::*;
use keystead_domain::ids::*;
use keystead_domain::time::Micros;
use keystead_store::backup::left_out;
use keystead_store::log::{is_logged, not_logged};
use keystead_store::testing::{TestStore, empty_places};
use keystead_store::*;

/// A row that was announced and not written is not locked: on PostgreSQL an image of it may be older
/// than what another node commits, and would undo a revocation.
pub(crate) async fn a_row_that_was_not_written_is_not_in_the_log(store: TestStore) {
    let (_folder, path) = filled_with_log(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    crate::opening::tamper(&store, "UPDATE keys SET name = 'Unheard of'; UPDATE meters SET quota_used = 9")
        .await;
    let acted: Outcome = store
        .store
        .act(|tx| {
            Box::pin(async move {
                assert!(!tx.update_key(&key_row(1, 1), 7).await?);
                assert!(!tx.upgrade_import(&import_row(5)).await?);
                assert!(!tx.note_first_use(key_id(5), minutes(1), minutes(2)).await?);
                assert!(!tx.delete_consumer(org(1), ConsumerId([9; 16])).await?);
                let changes = vec![Change::new(org(1), ChangeKind::Key, key_id(5).as_bytes())];
                Ok(Acted { value: (), events: vec![event(1)], changes })
            })
        })
        .await;
    acted.unwrap();
    store.store.end_session().await.unwrap();
    for place in empty_places().await {
        restore(&place, &backup, std::slice::from_ref(&path)).await.unwrap();
        let rows = logged_rows(&place.database).await;
        assert!(!rows.iter().any(|row| row.contains("Unheard of")), "{rows:?}");
    }
}

/// Each method that writes says so itself: no act has to think of the log.
pub(crate) async fn whatever_was_written_is_in_the_log(store: TestStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = log_in(&folder, "a.log");
    begin(&store, Some(&path), 1).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    fill(&store).await;
    live_on(&store).await;
    act!(store.store, |tx| {
        let renamed = OrganizationRow { name: "Renamed".into(), version: 2, ..organization_row(1) };
        assert!(tx.update_organization(&renamed, 1).await?);
        let renamed = ProjectRow { name: "Renamed".into(), version: 2, ..project_row(1) };
        assert!(tx.update_project(&renamed, 1).await?);
        let narrowed = ServiceAccountRow { disabled: true, version: 2, ..service_account_row(1) };
        assert!(tx.update_service_account(&narrowed, 1).await?);
        let made = PermissionRow { version: 2, description: "Anew".into(), ..permission_row(1) };
        tx.insert_permission(&permission_row(1)).await?;
        assert!(tx.update_permission(&made, 1).await?);
        let (editor, grant) = ([role(1)], ["routes.write".to_owned()]);
        tx.insert_key(&key_row(1, 7), &["a".to_owned()], &editor, &grant).await?;
        assert!(tx.lock_key(org(1), key_id(5)).await?);
        tx.set_key_references(key_id(5), &editor, &grant).await?;
        tx.insert_sealed_key(org(1), key_id(5), b"sealed").await?;
        tx.insert_import(&import_row(5)).await?;
        let upgraded = ImportRow { form: "token".into(), verifier: None, ..import_row(5) };
        assert!(tx.upgrade_import(&upgraded).await?);
        assert!(tx.put_rotation_plan(&plan(), 0).await?);
        assert!(tx.insert_guardrails(&guardrails_of(1)).await?);
        let waiting = RotationRow { overlap_seconds: Some(30), ends_at: None, ..rotation(5, 7) };
        tx.insert_rotation(&waiting).await?;
        tx.insert_rotation(&rotation(2, 6)).await?;
        tx.insert_approval(&approval_row(1)).await?;
        for number in 1..=3 {
            assert!(tx.insert_notice(&notice(number, &number.to_string())).await?);
        }
    })
    .unwrap();
    act!(store.store, |tx| {
        assert!(tx.note_first_use(key_id(7), minutes(1), minutes(2)).await?);
        let done = RotationStage::Complete;
        assert!(tx.close_rotation(key_id(7), done, Some(minutes(2)), minutes(3)).await?);
        assert!(tx.claim_notice(NoticeId([1; 16]), minutes(1), minutes(9), minutes(2)).await?.is_some());
        assert!(tx.claim_notice(NoticeId([2; 16]), minutes(1), minutes(9), minutes(2)).await?.is_some());
        let sent = Tried { outcome: Some("sent"), closed_at: Some(minutes(1)), ..Tried::default() };
        assert!(tx.record_try(NoticeId([1; 16]), 1, &sent).await?);
        assert!(tx.retry_notice(&notice(3, "3"), "[]", minutes(1)).await?);
        let denied = ApprovalRow { state: "denied".into(), version: 2, ..approval_row(1) };
        assert!(tx.update_approval(&denied, 1).await?);
        // What hangs on a key goes with it.
        assert!(tx.delete_key(org(1), key_id(6)).await?);
        tx.insert_meter(&meter_row(MeterId::Consumer(consumer(1)), 3)).await?;
        assert!(tx.delete_meter(MeterId::Consumer(consumer(1))).await?);
        tx.insert_meter(&meter_row(MeterId::Lineage(key_id(2)), 9)).await?;
        let spare = EnvironmentId([7; 16]);
        let row = EnvironmentRow { id: spare, slug: "b".into(), tag: "b".into(), ..environment_row(1) };
        tx.insert_environment(&row).await?;
        assert!(tx.update_environment(&EnvironmentRow { version: 2, ..row }, 1).await?);
    })
    .unwrap();
    store.store.end_session().await.unwrap();
    restored(&backup, &[path], &logged_rows(&store.database).await).await;
}

pub(crate) async fn every_table_is_in_the_log_or_named_with_a_reason(store: TestStore) {
    let backup = String::from_utf8(backup_of(&store.database, Micros(0)).await).unwrap();
    for line in backup.lines() {
        let Some(rest) = line.strip_prefix("{\"table\":\"") else { continue };
        let table = rest.split('"').next().unwrap();
        assert!(left_out(table).is_none());
        assert!(
            is_logged(table) != not_logged(table).is_some(),
            "{table}: say in log/places.rs whether its rows are in the log, or why not"
        );
    }
}
