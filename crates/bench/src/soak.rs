//! Millions of verifications in process while keys come and go: memory stays flat, no counter drifts.

use crate::creates;
use crate::figure::Figure;
use crate::installation::{Installation, caller};
use crate::measure::{data_folder, instant, median, resident_bytes};
use crate::population::{IP, PATH, PERMISSION, POLICIES};
use crate::say;
use anyhow::{Context, Result, anyhow, ensure};
use keystead_api::{Code, CreateKey, CreditsSpec, PermissionQuery, Refill, RevokeKey, Verify};
use keystead_service::caller::Caller;
use keystead_service::{Keystead, Refused};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

/// Verifications when nobody says otherwise.
pub const VERIFIES: u64 = 50_000_000;
/// Keys that come and go in that many; fewer in fewer.
const CHURN: u64 = 100_000;
/// Keys that stay.
const STAYING: u32 = 2_000;
/// Creates and deletes at once.
const AT_ONCE: u32 = 250;
const VERIFIERS: u64 = 4;
/// Every so often a key with credits is verified.
const CREDITS_ONCE_IN: u64 = 1_000;
const CREDITS: u64 = 1_000_000_000;
/// Looks at the memory in the whole run.
const SAMPLES: u64 = 100;
const MEBIBYTE: f64 = 1_048_576.0;

/// What all that verify share.
struct Soak {
    keystead: Arc<Keystead>,
    caller: Caller,
    asks: Vec<Verify>,
    credits: Verify,
    credits_id: String,
    verified: AtomicU64,
    spent: AtomicU64,
    resident: parking_lot::Mutex<Vec<f64>>,
}

/// Measures with so many verifications.
///
/// # Errors
/// When an installation cannot be made, or anything is refused.
pub async fn figures(verifies: u64) -> Result<Vec<Figure>> {
    let folder = tempfile::Builder::new().prefix("soak-").tempdir_in(data_folder()?)?;
    let installation = Installation::embedded(folder.path());
    let soak = Arc::new(Soak::prepare(&installation).await?);
    say::progress(&format!("{verifies} verifications"));
    let begun = instant();
    let mut tasks = JoinSet::new();
    for _ in 0..VERIFIERS {
        tasks.spawn(verify(Arc::clone(&soak), verifies));
    }
    let churned = churn(&soak, verifies).await?;
    while let Some(task) = tasks.join_next().await {
        task.context("a verifier did not end")??;
    }
    let elapsed = begun.elapsed();
    let counters = soak.keystead.counters();
    let counted: u64 = counters.verdicts().map(|(_, count)| count).sum();
    let valid = counters.verdicts().find(|(code, _)| *code == Code::Valid);
    let [verified, spent] = [&soak.verified, &soak.spent].map(|count| count.load(Ordering::SeqCst));
    let valid = valid.map_or(0, |(_, count)| count);
    let left = soak.keystead.show_key(&soak.caller, &soak.credits_id).await.map_err(refused)?;
    let left = left.key.credits.context("the key has no credits")?.remaining;
    let resident = std::mem::take(&mut *soak.resident.lock());
    Arc::clone(&soak.keystead).close().await;
    let (early, late) = (part(&resident, 0.2), part(&resident, 0.8));
    Ok(vec![
        Figure::at_most(
            "soak_memory_growth",
            late / early,
            1.1,
            "memory in the last fifth over the second fifth",
        ),
        Figure::at_most(
            "soak_verdicts_drift",
            verified.abs_diff(counted) as f64 + verified.abs_diff(valid) as f64,
            0.0,
            "verdicts counted more or less than given",
        ),
        Figure::at_most(
            "soak_credits_drift",
            (CREDITS - spent).abs_diff(left) as f64,
            0.0,
            "credits left more or less than not spent",
        ),
        Figure::told("soak_verifies", verified as f64, "verifications"),
        Figure::told("soak_per_second", verified as f64 / elapsed.as_secs_f64(), "of them a second"),
        Figure::told("soak_churned_keys", churned as f64, "keys made, revoked and purged meanwhile"),
        Figure::told("soak_memory_mib", late, "memory in the last fifth, MiB"),
        Figure::told("soak_memory_second_mib", early, "in the second fifth"),
        Figure::told("soak_memory_third_mib", part(&resident, 0.4), "in the third"),
        Figure::told("soak_memory_fourth_mib", part(&resident, 0.6), "in the fourth"),
    ])
}

impl Soak {
    async fn prepare(installation: &Installation) -> Result<Self> {
        let key = installation.make().await?;
        let keystead = installation.open().await?.keystead;
        let caller = caller(&keystead, &key)?;
        say::progress("making the keys that stay");
        let made = create(&keystead, &caller, STAYING).await?;
        let spec = CreditsSpec { remaining: CREDITS, refill: Refill::None, amount: None };
        let with_credits = CreateKey { credits: Some(spec), ..creates::key(0) };
        let with_credits = keystead.create_key(&caller, "bench", with_credits).await.map_err(refused)?;
        Ok(Self {
            keystead,
            caller,
            asks: made.into_iter().map(|(_, key)| ask(key)).collect(),
            credits: ask(with_credits.key),
            credits_id: with_credits.details.id,
            verified: AtomicU64::new(0),
            spent: AtomicU64::new(0),
            resident: parking_lot::Mutex::default(),
        })
    }
}

async fn verify(soak: Arc<Soak>, verifies: u64) -> Result<()> {
    let every = (verifies / SAMPLES).max(1);
    loop {
        let number = soak.verified.fetch_add(1, Ordering::SeqCst);
        if number >= verifies {
            soak.verified.fetch_sub(1, Ordering::SeqCst);
            return Ok(());
        }
        let index = usize::try_from(number)? % soak.asks.len();
        let costs = number.is_multiple_of(CREDITS_ONCE_IN);
        let ask = if costs { &soak.credits } else { soak.asks.get(index).context("a key")? };
        let verdict = soak.keystead.verify(&soak.caller, ask).await.map_err(refused)?;
        ensure!(verdict.valid, "answered {}", verdict.code);
        if costs {
            soak.spent.fetch_add(1, Ordering::SeqCst);
            // The store's tasks get their turn on these threads too.
            tokio::task::yield_now().await;
        }
        if number.is_multiple_of(every) {
            soak.resident.lock().push(resident_bytes()? as f64 / MEBIBYTE);
        }
    }
}

/// Keys come and go evenly over the verifications; how many.
async fn churn(soak: &Soak, verifies: u64) -> Result<u64> {
    let all = CHURN * verifies / VERIFIES;
    let mut churned = 0;
    while churned < all {
        // Not ahead of the verifications, so that there is churn to their end.
        while churned * verifies > soak.verified.load(Ordering::SeqCst) * all {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        for (id, _) in create(&soak.keystead, &soak.caller, AT_ONCE).await? {
            let reason = RevokeKey { reason: "churn".into() };
            soak.keystead.revoke_key(&soak.caller, &id, reason, None).await.map_err(refused)?;
            soak.keystead.delete_key(&soak.caller, &id, None).await.map_err(refused)?;
            churned += 1;
        }
    }
    Ok(churned)
}

/// Makes keys, many at once; ids and keys.
async fn create(keystead: &Arc<Keystead>, caller: &Caller, count: u32) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for first in (0..count).step_by(AT_ONCE as usize) {
        let mut creates = JoinSet::new();
        for number in first..(first + AT_ONCE).min(count) {
            let (keystead, caller) = (Arc::clone(keystead), caller.clone());
            creates.spawn(async move {
                keystead.create_key(&caller, "bench", creates::key(number % POLICIES)).await
            });
        }
        while let Some(created) = creates.join_next().await {
            let created = created?.map_err(refused)?;
            all.push((created.details.id, created.key));
        }
    }
    Ok(all)
}

fn ask(key: String) -> Verify {
    Verify {
        key,
        project: Some("bench".into()),
        environment: Some("production".into()),
        ip: Some(IP.to_string()),
        method: Some("GET".into()),
        path: Some(PATH.into()),
        permissions: Some(PermissionQuery::One(PERMISSION.into())),
        ..Verify::default()
    }
}

/// The middle of the fifth of the samples that begins at this share.
fn part(samples: &[f64], from: f64) -> f64 {
    let count = samples.len() as f64;
    let within = |index: usize| (from..from + 0.2).contains(&(index as f64 / count));
    median(samples.iter().enumerate().filter(|(index, _)| within(*index)).map(|(_, value)| *value).collect())
}

fn refused(refused: Refused) -> anyhow::Error {
    anyhow!("an act is refused: {refused}")
}
