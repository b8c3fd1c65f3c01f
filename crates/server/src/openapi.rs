//! The API's description, OpenAPI 3.1, from the code.

use crate::problem::ProblemCode;
use http::StatusCode;
use keystead_api::{AllOf, AnyOf, KeyStatusFilter, PermissionOn, Problem};
use std::collections::BTreeMap;
use utoipa::openapi::schema::{ArrayItems, Schema};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, Content, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

/// What the description says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keystead",
        description = "The self-hosted home for API keys. Every error is a problem document (RFC 9457) with a stable `code` and a `fix`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(AllOf, AnyOf, KeyStatusFilter, PermissionOn, Problem)),
    modifiers(&Shared),
    security(("bearer" = []), ("header" = [])),
    tags(
        (name = "verify", description = "May this request pass?"),
        (name = "keys", description = "Issued keys."),
        (name = "projects", description = "Projects and environments."),
        (name = "catalogue", description = "Permissions and roles."),
        (name = "principals", description = "Service accounts and consumers."),
        (name = "audit", description = "Who did what."),
        (name = "organizations", description = "Tenants of the installation."),
        (name = "operation", description = "Health and metrics.")
    )
)]
pub(crate) struct Description;

/// What the operations refer to: how callers prove themselves, and every error.
struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let header = ApiKey::Header(ApiKeyValue::new("X-API-Key"));
        components.add_security_scheme("header", SecurityScheme::ApiKey(header));
        for (status, titles) in problems() {
            let content = Content::new(Some(Ref::from_schema_name("Problem")));
            let problem = ResponseBuilder::new().description(titles.join(" "));
            let problem = problem.content("application/problem+json", content).build();
            components.responses.insert(problem_name(&status), RefOr::T(problem));
        }
    }
}

/// The titles of every error, by status.
fn problems() -> BTreeMap<String, Vec<&'static str>> {
    let mut titles: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for code in ProblemCode::ALL {
        titles.entry(code.status().as_u16().to_string()).or_default().push(code.title());
    }
    titles
}

fn problem_name(status: &str) -> String {
    format!("Problem{status}")
}

/// Every error that a guarded route may answer.
#[derive(Debug)]
pub(crate) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let refer = |status: String| {
            let response = RefOr::Ref(Ref::from_response_name(problem_name(&status)));
            (status, response)
        };
        problems().into_keys().map(refer).collect()
    }
}

/// Mends what the macros leave open: a success has the description that OpenAPI demands, and a page
/// refers to what it lists instead of repeating it.
pub(crate) fn finish(document: &mut Document) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response
                    && response.description.is_empty()
                {
                    response.description = reason(status);
                }
            }
        }
    }
    if let Some(components) = &mut document.components {
        refer_to_items(components);
    }
}

fn reason(status: &str) -> String {
    let reason = status.parse().ok().and_then(|status: StatusCode| status.canonical_reason());
    format!("{}.", reason.unwrap_or(status))
}

fn refer_to_items(components: &mut Components) {
    for (name, page) in &mut components.schemas {
        if let Some(listed) = name.strip_prefix("Page_")
            && let RefOr::T(Schema::Object(page)) = page
            && let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items")
        {
            items.items = ArrayItems::RefOrSchema(Box::new(RefOr::Ref(Ref::from_schema_name(listed))));
        }
    }
}
