//! From a SQLite file with 1,000,000 keys to a keyring that answers: the real way, in a fresh process.

use crate::figure::Figure;
use crate::installation::{ENVIRONMENT, Installation, MADE, OWNER, PROJECT, event, organization};
use crate::measure::{data_folder, instant, median, own_command, resident_bytes};
use crate::population::{self, PERMISSION, POLICIES};
use crate::say;
use anyhow::{Context, Result, ensure};
use keystead_domain::ids::{KeyId, OrganizationId, OwnerId};
use keystead_domain::policy::PolicySpec;
use keystead_domain::time::Micros;
use keystead_store::{Acted, KeyRow, Store, StoreError};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Keys in the file.
const KEYS: u32 = 1_000_000;
/// Keys of one act: well within the time that the store gives to one.
const ACT: u32 = 4_000;
const RUNS: usize = 3;
/// The hidden command that opens the file once.
pub const COMMAND: &str = "load-child";
/// A file that was filled for another schema is of no use.
const SCHEMA: &str = include_str!("../../store/src/schema/0001_core.sql");

/// What one opening took.
#[derive(Debug, Serialize, Deserialize)]
struct Loaded {
    seconds: f64,
    resident_bytes: u64,
}

/// Opens the filled file a few times, each in a process of its own; fills it first if need be.
///
/// # Errors
/// When it cannot be filled or opened.
pub async fn figures(fresh: bool) -> Result<Vec<Figure>> {
    let folder = filled(fresh).await?;
    say::progress("opening the file with 1,000,000 keys");
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let output = own_command(COMMAND)?.arg(&folder).stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "the process that opens the file failed");
        runs.push(serde_json::from_slice::<Loaded>(&output.stdout)?);
    }
    let resident = median(runs.iter().map(|run| run.resident_bytes as f64).collect());
    Ok(vec![
        Figure::at_most(
            "load_1m_seconds",
            median(runs.iter().map(|run| run.seconds).collect()),
            4.0,
            "from SQLite to ready, 1,000,000 keys, file in the page cache",
        ),
        Figure::told(
            "load_resident_bytes_per_key",
            resident / f64::from(KEYS),
            "the whole process after that, SQLite's caches and all",
        ),
    ])
}

/// Opens the file once and tells what it took.
///
/// # Errors
/// When it does not open.
pub async fn child(folder: &Path) -> Result<()> {
    let begun = instant();
    let opened = Installation::embedded(folder).open().await?;
    let seconds = begun.elapsed().as_secs_f64();
    let resident_bytes = resident_bytes()?;
    // The administrator's key is one more.
    ensure!(opened.keystead.keys_resident() == usize::try_from(KEYS)? + 1, "not every key is there");
    opened.keystead.close().await;
    say::result(&serde_json::to_string(&Loaded { seconds, resident_bytes })?);
    Ok(())
}

async fn filled(fresh: bool) -> Result<PathBuf> {
    let hash = PolicySpec::hash_of(SCHEMA);
    let schema: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let folder = data_folder()?.join(format!("load-1m-{schema}"));
    let complete = folder.join("complete");
    if complete.exists() && !fresh {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder)?;
    say::progress(&format!("filling {} with 1,000,000 keys, once", folder.display()));
    let installation = Installation::embedded(&folder);
    installation.make().await?;
    let store = installation.store().await?;
    fill(&store, organization(&store).await?).await?;
    store.close().await;
    fs::write(complete, "")?;
    Ok(folder)
}

async fn fill(store: &Store, organization: OrganizationId) -> Result<()> {
    let specs: Vec<String> = (0..POLICIES).map(|number| population::policy(number).to_json()).collect();
    let hashes: Vec<[u8; 32]> = specs.iter().map(|spec| PolicySpec::hash_of(spec)).collect();
    store
        .act::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                for spec in &specs {
                    tx.insert_policy(organization, &PolicySpec::hash_of(spec), spec).await?;
                }
                Ok(Acted { value: (), events: vec![event(organization, 2)], changes: Vec::new() })
            })
        })
        .await?;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let begun = instant();
    for first in (0..KEYS).step_by(ACT as usize) {
        let rows: Vec<KeyRow> = (first..KEYS.min(first + ACT))
            .map(|number| key(organization, number, &hashes, &mut rng))
            .collect();
        store
            .act::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    for row in &rows {
                        tx.insert_key(row, &[], &[], &[PERMISSION.into()]).await?;
                    }
                    let events = vec![event(organization, 3 + u128::from(first))];
                    Ok(Acted { value: (), events, changes: Vec::new() })
                })
            })
            .await?;
        if (first / ACT) % 25 == 24 {
            say::progress(&format!("{} keys in {} s", first + ACT, begun.elapsed().as_secs()));
        }
    }
    Ok(())
}

/// A key's row. Its digest is random: nobody will hold its token.
fn key(organization_id: OrganizationId, number: u32, policies: &[[u8; 32]], rng: &mut ChaCha8Rng) -> KeyRow {
    let id = KeyId::random(rng);
    let mut digest = [0; 32];
    rng.fill_bytes(&mut digest);
    let draw = rng.next_u32() as usize % policies.len().max(1);
    KeyRow {
        id,
        organization_id,
        environment_id: ENVIRONMENT,
        lineage_id: id,
        kind: "private".into(),
        digest,
        pepper_version: 1,
        owner: OwnerId::ServiceAccount(OWNER),
        consumer_id: None,
        policy_hash: policies.get(draw).copied().unwrap_or_default(),
        disabled: false,
        suspended_until: None,
        revoked_at: None,
        not_before: None,
        expires_at: Some(Micros(MADE.0 + 400_000_000_000_000)),
        project_id: PROJECT,
        name: format!("Key {number} of the benchmark"),
        start: format!("acme_live_{}", id.digits()),
        revoked_reason: None,
        metadata: Some(r#"{"team":"payments","ticket":"OPS-1234"}"#.into()),
        created_at: MADE.plus(i64::from(number)),
        created_by: None,
        created_from: Some("192.0.2.1".into()),
        updated_at: MADE,
        version: 1,
        parent_id: None,
        uses: None,
        may_mint: None,
    }
}
