//! Points of contact: a team and its shared address. To name them is for those who answer for the organization.

use crate::guard::Admitted;
use crate::problem::{Body, Problem};
use crate::records::{Contact, Registry};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use std::collections::BTreeMap;

const TEXT_CHARACTERS_MAX: usize = 254;

pub(crate) async fn list(State(registry): State<Registry>) -> Json<BTreeMap<String, Contact>> {
    Json(registry.see(|records| records.contacts.clone()))
}

pub(crate) async fn set(
    State(registry): State<Registry>,
    Extension(by): Extension<Admitted>,
    Path(id): Path<String>,
    Body(new): Body<Contact>,
) -> Result<Json<Contact>, Problem> {
    let is_text =
        |text: &str| text.chars().count() <= TEXT_CHARACTERS_MAX && !text.chars().any(char::is_control);
    if !is_text(&new.purpose) || !is_text(&new.email) || !new.email.contains('@') {
        let fix = "Send `purpose` and `email`, each of at most 254 characters.";
        return Err(Problem::invalid("This is no contact.", fix));
    }
    registry.change(by, |records| {
        let known = records.contacts.get_mut(&id).ok_or_else(|| Problem::not_found("no such contact"))?;
        known.clone_from(&new);
        Ok(Json(new))
    })
}
