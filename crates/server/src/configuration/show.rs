//! What is in force and where it came from, for people and programs; and the reference of all settings.

use super::resolve::{InForce, Loaded};
use super::{Configuration, Kind};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

impl Loaded {
    /// One line a setting, `name = value  # source`. It is TOML, passwords are masked.
    #[must_use]
    pub fn show(&self) -> String {
        let lines: Vec<(String, String)> =
            self.values.iter().map(|value| (line(value), value.source.to_string())).collect();
        let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
        let mut text = lines.iter().fold(String::new(), |mut all, (line, source)| {
            let _ = writeln!(all, "{line:width$}  # {source}");
            all
        });
        for (kind, place, shown) in self.tables() {
            let _ = writeln!(text, "\n[[{kind}]]  # file {place}");
            for (name, value) in shown {
                // JSON's strings, lists and numbers are TOML's too.
                let _ = writeln!(text, "{name} = {value}");
            }
        }
        text
    }

    /// What the file has several of: the kind, where it stands, what is in force.
    fn tables(&self) -> impl Iterator<Item = (&'static str, &str, &Map<String, Value>)> {
        let guards = self.guards.iter().map(|guard| ("guard", guard.place.as_str(), &guard.shown));
        guards.chain(self.doors.iter().map(|door| ("door", door.place.as_str(), &door.shown)))
    }

    /// The same for programs: a list of `name`, `value`, `source`.
    #[must_use]
    pub fn show_json(&self) -> Value {
        self.values
            .iter()
            .map(|value| {
                json!({
                    "name": value.setting.name,
                    "value": value_of(value),
                    "source": value.source.to_string(),
                })
            })
            .chain(self.tables().map(|(kind, place, shown)| {
                json!({ "name": kind, "value": shown, "source": format!("file {place}") })
            }))
            .collect()
    }
}

fn line(value: &InForce) -> String {
    match value_of(value) {
        Value::Null => format!("# {} is not set", value.setting.name),
        // JSON's escapes are TOML's too.
        shown => format!("{} = {shown}", value.setting.name),
    }
}

fn value_of(value: &InForce) -> Value {
    let text = value.text.as_str();
    match value.setting.kind {
        Kind::Whole { .. } => text.parse::<u64>().map_or(Value::Null, Value::from),
        Kind::Flag => Value::Bool(text == "true"),
        // An empty text that is not the default says something, such as that there is no log: a line that is
        // left out would bring the default back.
        Kind::Text | Kind::DatabaseUrl | Kind::WebhookUrl | Kind::Choice(_)
            if text.is_empty() && value.setting.default.is_empty() =>
        {
            Value::Null
        }
        Kind::Text | Kind::DatabaseUrl | Kind::WebhookUrl | Kind::Choice(_) => Value::from(text),
    }
}

const INTRODUCTION: &str = "\
# Configuration

Keystead reads one TOML file, then `KEYSTEAD_*` environment variables, then flags; the later wins. The file is
the one that `--config FILE` or `KEYSTEAD_CONFIG` names, or `keystead.toml` in the data folder if there is one.
An unknown name, a wrong type or a number out of bounds stops the start and says how to fix it.
`keystead config show` prints what is in force and where each value came from, as a file that says the same but
for passwords and the webhook's path: they are shown as `***`, and have to be put back.

```toml
listen = \"0.0.0.0:7700\"
database = \"postgres://keystead:PASSWORD@db.internal/keystead\"

[tls]
certificate = \"/etc/keystead/tls.crt\"
key = \"/etc/keystead/tls.key\"
```

A certificate that changes is read again within five seconds, and at once on SIGHUP; a pair that cannot be used
is reported and the one before stays in force. `KEYSTEAD_URL`, `KEYSTEAD_KEY`, `KEYSTEAD_VERIFY_KEY`,
`KEYSTEAD_PROJECT` and `KEYSTEAD_CA_FILE` belong to the client commands.

## Mail

Notices go out by e-mail once a mail server is named; without one they wait, and `keystead notices` shows them to
be handed over.

```toml
[smtp]
host = \"mail.example.com\"
security = \"starttls\"
username = \"keystead\"
password_file = \"/etc/keystead/smtp-password\"
from = \"Keys of Example <keys@example.com>\"
```

The password is the one line of `smtp.password_file` (mode 0600) or the variable `KEYSTEAD_SMTP_PASSWORD`, never a
setting. Certificates are checked against the system's authorities and those in `smtp.ca_file`. `keystead doctor`
connects, signs in and names the sender without sending anything; `keystead mail test you@example.com` sends a test
message. Give every node of one database the same settings: each that has them sends.

## Guards and doors

Each table `[[guard]]` of the file is a proxy before an API, which this server runs; see [PROXY.md](PROXY.md). On
SIGHUP these tables are read again and put in force, and nothing else of the file. Each table `[[door]]` is a socket at
which proxies on this machine ask; see [GUARD.md](GUARD.md).

## All settings


";

/// The text of `docs/CONFIGURATION.md`: every setting with its variable, flag, default and bounds.
#[must_use]
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str(
        "| setting | variable | flag | default | allowed | what it does |\n|---|---|---|---|---|---|\n",
    );
    for setting in Configuration::settings() {
        let default = match setting.default {
            "" => "not set".to_owned(),
            default => format!("`{}`", default.replace("{data}", "<data>")),
        };
        let allowed = match setting.kind {
            Kind::Text | Kind::DatabaseUrl | Kind::WebhookUrl => "text".to_owned(),
            Kind::Flag => "`true`, `false`".to_owned(),
            Kind::Choice(names) => format!("`{}`", names.join("`, `")),
            Kind::Whole { min, max } => format!("{min} to {max}"),
        };
        let _ = writeln!(
            text,
            "| `{}` | `{}` | `--{}` | {default} | {allowed} | {} |",
            setting.name,
            setting.variable(),
            setting.flag(),
            setting.help.trim()
        );
    }
    text
}
