//! What the audit's tree costs: audited acts of 16 writers of one organization, with the tree and without.

use crate::cluster::Cluster;
use crate::creates::creates;
use crate::figure::Figure;
use crate::installation::{Installation, caller};
use crate::measure::{data_folder, median};
use crate::say;
use anyhow::Result;
use keystead_service::AuditSettings;
use keystead_store::Database;
use std::time::Duration;

const WRITERS: usize = 16;
const WARM_UP: Duration = Duration::from_secs(1);
const ROUND: Duration = Duration::from_secs(4);
const ROUNDS: usize = 4;
/// Longer than a round: nothing gets its place in it.
const NEVER: Duration = Duration::from_secs(3_600);
const SQLITE: [&str; 3] =
    ["audit_tree_ratio_sqlite", "acts_16_with_tree_sqlite", "acts_16_without_tree_sqlite"];
const POSTGRES: [&str; 3] =
    ["audit_tree_ratio_postgres", "acts_16_with_tree_postgres", "acts_16_without_tree_postgres"];

/// Measures on SQLite, and on PostgreSQL where it is installed or `postgres` names a server.
///
/// # Errors
/// When an installation cannot be made, or a create is refused.
pub async fn figures(postgres: Option<String>) -> Result<Vec<Figure>> {
    let folder = tempfile::Builder::new().prefix("audit-").tempdir_in(data_folder()?)?;
    say::progress("acts on SQLite");
    let mut figures = measure(&Installation::embedded(folder.path()), SQLITE).await?;
    let cluster = if postgres.is_none() { Some(Cluster::start()) } else { None };
    let url = match (&cluster, postgres) {
        (_, Some(url)) => url,
        (Some(Ok(cluster)), None) => cluster.url().to_owned(),
        (Some(Err(error)), None) => {
            say::progress(&format!("not measured on PostgreSQL: {error:#}"));
            return Ok(figures);
        }
        (None, None) => return Ok(figures),
    };
    say::progress("acts on PostgreSQL");
    let folder = tempfile::Builder::new().prefix("audit-").tempdir_in(data_folder()?)?;
    let installation = Installation { folder: folder.path().to_owned(), database: Database::Postgres(url) };
    figures.extend(measure(&installation, POSTGRES).await?);
    Ok(figures)
}

async fn measure(
    installation: &Installation,
    [ratio, tree, plain]: [&'static str; 3],
) -> Result<Vec<Figure>> {
    let key = installation.make().await?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (sequence_every, rates) in
            [(AuditSettings::default().sequence_every, &mut with), (NEVER, &mut without)]
        {
            let audit = AuditSettings { sequence_every, ..AuditSettings::default() };
            let keystead = installation.open_with(audit).await?.keystead;
            let caller = caller(&keystead, &key)?;
            creates(&keystead, &caller, WRITERS, WARM_UP).await?;
            rates.push(creates(&keystead, &caller, WRITERS, ROUND).await?);
            keystead.close().await;
        }
    }
    let (with, without) = (median(with), median(without));
    Ok(vec![
        Figure::at_least(ratio, with / without, 0.8, "acts of 16 writers with the tree over without"),
        Figure::told(tree, with, "durable creates a second, 16 writers of one organization"),
        Figure::told(plain, without, "the same, and no record gets its place"),
    ])
}
