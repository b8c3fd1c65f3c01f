//! What the server knows: names and ids that exist, so that requests get further than to a 404.

use crate::demo::{ADMIN_KEY, Options};
use crate::process::{capture, command};
use anyhow::Result;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

const PROJECTS: [&str; 2] = ["registry", "billing"];

/// A parameter or a field of a body, and the kind of thing that it names.
const PLACES: [(&str, &str); 17] = [
    ("path.project", "projects"),
    ("path.environment", "environments"),
    ("path.permission", "permissions"),
    ("path.role", "roles"),
    ("path.account", "service-accounts"),
    ("path.consumer", "consumers"),
    ("path.id", "keys"),
    ("query.project", "projects"),
    ("query.environment", "environments"),
    ("query.consumer", "consumers"),
    ("query.target", "keys"),
    ("body.project", "projects"),
    ("body.environment", "environments"),
    ("body.owner", "service-accounts"),
    ("body.consumer", "consumers"),
    ("body.key", "raw-keys"),
    ("body.items[*].key", "raw-keys"),
];

/// What is known of a server.
pub(super) struct Known {
    key: String,
    own: Vec<String>,
    things: BTreeMap<&'static str, Vec<String>>,
}

/// Asks it, through the command line.
pub(super) fn ask(options: &Options) -> Result<Known> {
    let key = fs::read_to_string(options.data.join(ADMIN_KEY))?.trim().to_owned();
    let asked = |arguments: &[&str]| -> Result<Value> {
        let mut keystead = command(options.programs.join("keystead"));
        keystead.env("KEYSTEAD_URL", format!("http://{}", options.listen)).env("KEYSTEAD_KEY", &key);
        Ok(serde_json::from_str(&capture(keystead.arg("--json").args(arguments))?)?)
    };
    let me = asked(&["whoami"])?;
    let own = ["id", "project"].iter().filter_map(|field| Some(me.get(field)?.as_str()?.to_owned()));
    let mut own: Vec<String> = own.collect();
    for project in items(&asked(&["projects", "list"])?) {
        if project.get("system") == Some(&Value::Bool(true)) {
            own.extend(text(project, "id"));
        }
    }
    let mut things = BTreeMap::from([("projects", PROJECTS.map(str::to_owned).to_vec())]);
    for (kind, name) in [
        ("environments", "slug"),
        ("permissions", "name"),
        ("roles", "name"),
        ("service-accounts", "name"),
        ("consumers", "id"),
        ("keys", "id"),
    ] {
        for project in PROJECTS {
            let list = asked(&[kind, "list", "--project", project])?;
            things.entry(kind).or_default().extend(items(&list).iter().filter_map(|item| text(item, name)));
        }
    }
    let raw = fs::read_to_string(options.data.join("first-steps.key"))?;
    things.insert("raw-keys", vec![raw.trim().to_owned()]);
    Ok(Known { key, own, things })
}

impl Known {
    /// The key that the run authenticates with.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// What it must leave alone, with commas between.
    pub(super) fn own(&self) -> String {
        self.own.join(",")
    }

    /// A configuration of schemathesis. Mostly what exists is named; now and then what does not.
    pub(super) fn config(&self) -> String {
        // Schemas do not say what names refer to, nor how fields depend on each other: that valid data is
        // refused is no failure.
        let mut text = "headers = { Authorization = \"Bearer ${SCHEMATHESIS_KEY}\" }\n\
             generation = { with-security-parameters = false, database = \"none\" }\n\
             [checks]\npositive_data_acceptance.enabled = false\n"
            .to_owned();
        for (kind, values) in &self.things {
            text += &format!("[dictionaries.{kind}]\nvalues = {}\n", serde_json::json!(values));
        }
        text += "[parameters]\n";
        for (place, kind) in PLACES {
            text += &format!("\"{place}\" = {{ dictionary = \"{kind}\", probability = 0.9 }}\n");
        }
        text
    }
}

fn items(list: &Value) -> &[Value] {
    let list = list.get("items").unwrap_or(list);
    list.as_array().map_or(&[], Vec::as_slice)
}

fn text(item: &Value, field: &str) -> Option<String> {
    Some(item.get(field)?.as_str()?.to_owned())
}
