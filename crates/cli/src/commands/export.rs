//! `keystead export`: everything of projects but secrets, one JSON object a line.

use crate::exit::{Exit, Failure, Outcome};
use crate::output::progress::Progress;
use crate::session::Session;
use clap::Args;
use keystead_sdk::Error;
use keystead_sdk::api::{
    EXPORT_FORMAT, ExportEnd, ExportHead, ExportLine, KeyCounts, KeyQuery, Page, PageQuery, Project,
};

/// Items that one call asks for.
const PAGE: u32 = 1_000;

/// Export everything but secrets, one JSON object a line
///
/// Each project begins with a line `head` and ends with a line `end`, which says how many lines came
/// between: without it the export is not whole. What is created meanwhile is not in it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead export --project acme > acme.ndjson
  keystead export > everything.ndjson
  keystead export -p acme | jq -c 'select(.type == \"key\").data.id'")]
pub(crate) struct Export {
    /// Only this project (id or slug); by default every one that the key may see
    #[arg(long, short, env = "KEYSTEAD_PROJECT", hide_env_values = true)]
    project: Option<String>,
}

impl Export {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match &self.project {
            Some(project) => one(session, session.client.project(project).await?).await?,
            None => {
                let projects = async |page| session.client.list_projects(&page).await;
                each(projects, async |project| one(session, project).await).await?;
            }
        }
        Ok(Exit::Done)
    }
}

/// One project, whole.
async fn one(session: &Session, project: Project) -> Result<(), Failure> {
    let (client, slug) = (&session.client, project.slug.clone());
    let head = ExportHead { format: EXPORT_FORMAT, project: slug.clone(), exported_at: session.now };
    let mut lines = 0_u64;
    let mut write = |line: &ExportLine| {
        lines += 1;
        write_line(session, line)
    };
    write_line(session, &ExportLine::Head(head))?;
    write(&ExportLine::Project(project))?;
    each(
        async |page| client.list_environments(&slug, &page).await,
        async |it| write(&ExportLine::Environment(it)),
    )
    .await?;
    each(
        async |page| client.list_permissions(&slug, &page).await,
        async |it| write(&ExportLine::Permission(it)),
    )
    .await?;
    each(async |page| client.list_roles(&slug, &page).await, async |it| write(&ExportLine::Role(it))).await?;
    each(
        async |page| client.list_service_accounts(&slug, &page).await,
        async |it| write(&ExportLine::ServiceAccount(it)),
    )
    .await?;
    each(async |page| client.list_consumers(&slug, &page).await, async |it| write(&ExportLine::Consumer(it)))
        .await?;
    let KeyCounts { total, .. } = client.count_keys(&slug, &KeyQuery::default()).await?;
    let progress = Progress::new("keys", !session.output.is_json());
    let mut keys = client.export_keys(&slug, &KeyQuery::default()).await?;
    let mut done = 0;
    while let Some(line) = keys.next().await? {
        if let ExportLine::Key(_) = line {
            write(&line)?;
            done += 1;
            if done % u64::from(PAGE) == 0 {
                progress.at(done, total);
            }
        }
    }
    progress.at(done, total);
    write_line(session, &ExportLine::End(ExportEnd { lines }))
}

/// Every item of a list, a page at a time.
async fn each<T>(
    mut fetch: impl AsyncFnMut(PageQuery) -> Result<Page<T>, Error>,
    mut then: impl AsyncFnMut(T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut cursor = None;
    loop {
        let page = fetch(PageQuery { limit: Some(PAGE), cursor }).await?;
        for item in page.items {
            then(item).await?;
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

fn write_line(session: &Session, line: &ExportLine) -> Result<(), Failure> {
    let mut text = serde_json::to_string(line).map_err(std::io::Error::from)?;
    text.push('\n');
    session.output.data(&text)
}
