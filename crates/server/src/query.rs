//! Query parameters and path parameters, with the API's own errors instead of axum's.

use crate::problem::{ApiProblem, ProblemCode};
use crate::rewording::reword;
use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

/// Query parameters; each may stand there once.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, ApiProblem> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|error| {
        let reworded = reword(&error.inner().to_string(), error.path());
        ApiProblem::new(ProblemCode::InvalidField, format!("In the query: {}", reworded.detail))
            .with_fix(reworded.fix)
            .with_field(reworded.field)
    })
}

/// The parameters of the route's path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiProblem;

    /// What cannot be read names nothing that exists: `not_found`.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(parameters)) => Ok(Self(parameters)),
            Err(rejection) if rejection.status().is_server_error() => Err(ApiProblem::internal(rejection)),
            Err(_) => Err(ApiProblem::new(ProblemCode::NotFound, "A part of the address cannot be read.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        limit: Option<u32>,
        status: Option<String>,
    }

    #[test]
    fn parameters_are_read_and_decoded() {
        let page: Page = parse("limit=5&status=a%20b").unwrap();
        assert_eq!((page.limit, page.status.as_deref()), (Some(5), Some("a b")));
    }

    /// LESSONS 28 (CVE-2025-4166): errors disclosed request data.
    #[test]
    fn wrong_parameters_are_refused_by_name_and_never_repeated() {
        for (query, field) in [("limit=CANARY7", "/limit"), ("CANARY7=1", ""), ("limit=1&limit=CANARY7", "")]
        {
            let problem = parse::<Page>(query).unwrap_err();
            assert_eq!(problem.code(), ProblemCode::InvalidField);
            assert_eq!(problem.field(), Some(field), "{query}: {problem:?}");
            assert!(!format!("{problem:?}").contains("CANARY"), "{problem:?}");
        }
    }
}
