//! The API's description, OpenAPI 3.1, from the code.

use crate::problem::ProblemCode;
use http::StatusCode;
use keystead_api::{AllOf, AnyOf, FieldError, HygieneSort, KeyStatusFilter, PermissionOn, Problem};
use keystead_domain::replay::VALUE_BYTES_MAX;
use std::collections::BTreeMap;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayItems, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, Content, OpenApi as Document, Ref, RefOr, Required, Response, ResponseBuilder,
};
use utoipa::{IntoResponses, Modify, OpenApi};

/// What the description says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keystead",
        description = "The self-hosted home for API keys. Every error is a problem document (RFC 9457) with a stable `code` and a `fix`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(AllOf, AnyOf, FieldError, HygieneSort, KeyStatusFilter, PermissionOn, Problem)),
    modifiers(&Shared),
    security(("bearer" = []), ("header" = [])),
    tags(
        (name = "verify", description = "May this request pass?"),
        (name = "keys", description = "Issued keys."),
        (name = "projects", description = "Projects and environments."),
        (name = "catalogue", description = "Permissions and roles."),
        (name = "guard", description = "How APIs are guarded: routes, observing, enforcing."),
        (name = "guardrails", description = "What keys may be at most."),
        (name = "policies", description = "What is forbidden beyond permissions and restrictions, in Cedar."),
        (name = "approvals", description = "What needs another person's yes."),
        (name = "principals", description = "Service accounts and consumers."),
        (name = "people", description = "Members and teams, and what they may do."),
        (name = "contacts", description = "How organizations are reached, for anybody."),
        (name = "guidelines", description = "What people are to know of keys, and who has read it."),
        (name = "sign-in", description = "Becoming somebody: sessions, invitations, lost passwords."),
        (name = "account", description = "What people do with their own account and sessions."),
        (name = "audit", description = "Who did what."),
        (name = "organizations", description = "Tenants of the installation."),
        (name = "mail", description = "How mail leaves."),
        (name = "nodes", description = "Servers that share one database."),
        (name = "root key", description = "The key that seals every other."),
        (name = "identity keys", description = "The keys that sign whose request an API has."),
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

/// The POSTs that only ask, or whose secret works once, or that change nothing the second time: a retry is another
/// question, and `Idempotency-Key` has no meaning there.
const ASKING: [&str; 29] = [
    "create_session",
    "begin_passkey_session",
    "create_passkey_session",
    "begin_passkey_step_up",
    "begin_passkey",
    "create_passkey",
    "step_up",
    "accept_invitation",
    "confirm_contact",
    "change_password",
    "begin_totp",
    "confirm_totp",
    "renew_recovery_codes",
    "request_recovery",
    "recover_account",
    "verify",
    "verify_batch",
    "whoami",
    "preview_organization_guardrails",
    "preview_project_guardrails",
    "test_mail",
    "test_identity_provider",
    "start_single_sign_on",
    "finish_single_sign_on",
    "accept_guidelines",
    "test_policies",
    "answer_lesson",
    "set_guard_mode",
    "import_guard",
];

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
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
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
    for operation in document.paths.paths.values_mut().filter_map(|item| item.post.as_mut()) {
        if !operation.operation_id.as_deref().is_some_and(|id| ASKING.contains(&id)) {
            operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
        }
    }
    if let Some(components) = &mut document.components {
        refer_to_items(components);
    }
}

/// The header that every POST takes that changes something.
fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(format!(
            "1 to {VALUE_BYTES_MAX} visible ASCII characters, such as a UUID. The same request again is answered \
             the same for 24 hours, a secret for ten minutes, and done once."
        )))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
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
