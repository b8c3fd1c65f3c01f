//! Restricted reports, to be downloaded with a key by whatever can do HTTP.

use crate::problem::Problem;
use crate::records::{Records, Registry};
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};

/// What a download is answered with.
type Download = ([(HeaderName, String); 2], Vec<u8>);

pub(crate) async fn download(
    State(registry): State<Registry>,
    Path(report): Path<String>,
) -> Result<Download, Problem> {
    let rows = match report.as_str() {
        "holders.csv" => registry.see(holders),
        "routes.csv" => registry.see(routes),
        _ => return Err(Problem::not_found("no such report; there are holders.csv and routes.csv")),
    };
    let body = table(&rows).map_err(|_| {
        let code = StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(code, "internal", "The report cannot be written.", "Try again.")
    })?;
    let name = format!("attachment; filename=\"{report}\"");
    let kind = "text/csv; charset=utf-8".to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], body))
}

fn holders(records: &Records) -> Vec<Vec<String>> {
    let mut rows = vec![["network", "prefix", "organization", "name", "country"].map(str::to_owned).to_vec()];
    for (id, network) in &records.networks {
        let holder = records.organizations.get(&network.organization);
        let (name, country) = holder.map_or(("", ""), |holder| (&holder.name, &holder.country));
        let row = [id, &network.prefix, &network.organization, name, country];
        rows.push(row.map(str::to_owned).to_vec());
    }
    rows
}

fn routes(records: &Records) -> Vec<Vec<String>> {
    let mut rows = vec![["network", "route", "origin"].map(str::to_owned).to_vec()];
    for (id, network) in &records.networks {
        let row = |(route, of): (&String, &crate::records::Route)| {
            vec![id.clone(), route.replace('-', "/"), format!("AS{}", of.origin)]
        };
        rows.extend(network.routes.iter().map(row));
    }
    rows
}

fn table(rows: &[Vec<String>]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
