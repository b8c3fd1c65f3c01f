//! Which value of each setting is in force: the last of default, file, environment and flag that was given.

use super::door::{self, Door};
use super::guard::Guard;
use super::guards;
use super::mistake::{ConfigurationError, Mistake};
use super::setting::Setting;
use super::sources::{self, FILE_VARIABLE, Given, Layer, Source, Tables};
use super::value::Value;
use super::{Configuration, DatabaseUrl, Kind, RootKeyFrom, WebhookUrl};
use keystead_service::SignInSettings;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// A configuration, and where each of its values came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is in force.
    pub configuration: Configuration,
    /// The installation's own proxies.
    pub guards: Vec<Guard>,
    /// The sockets at which other proxies ask.
    pub doors: Vec<Door>,
    /// In the order of the table.
    pub(super) values: Vec<InForce>,
}

/// The value of one setting as it may be shown, with its source.
#[derive(Debug, Clone)]
pub(super) struct InForce {
    pub(super) setting: &'static Setting,
    pub(super) text: String,
    pub(super) source: Source,
}

impl Loaded {
    /// The settings, guards aside, whose values are others there.
    #[must_use]
    pub fn settings_unlike(&self, other: &Self) -> Vec<&'static str> {
        let pairs = self.values.iter().zip(&other.values);
        let unlike = pairs.filter(|(one, other)| one.text != other.text).map(|(one, _)| one.setting.name);
        let doors = self.doors.iter().map(|door| &door.shown).ne(other.doors.iter().map(|door| &door.shown));
        unlike.chain(doors.then_some("door")).collect()
    }
}

/// Reads the configuration.
///
/// `flags` are pairs of a setting's name (or `config`, for the file) and its value; `environment` is the
/// process's. The file is the one that was named, or `keystead.toml` in the data folder if there is one.
///
/// # Errors
/// Every mistake that was found: unknown names, wrong types, values out of bounds, a file that cannot be
/// read, half a TLS pair, plain HTTP beyond loopback that was not allowed.
pub fn load(
    flags: &[(String, String)],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, ConfigurationError> {
    let environment: Vec<_> = environment.into_iter().collect();
    let mut mistakes = Vec::new();
    let mut over = Layer::new();
    sources::add_environment(&environment, &mut over, &mut mistakes);
    sources::add_flags(flags, &mut over, &mut mistakes);

    let (mut layer, mut tables) = (Layer::new(), Tables::default());
    match named_file(flags, &environment) {
        Some(path) => sources::add_file(&path, &mut layer, &mut tables, &mut mistakes),
        None => add_data_folders_file(&over, &mut layer, &mut tables, &mut mistakes),
    }
    let Tables { mut guards, doors } = tables;
    layer.append(&mut over);

    let data = text_of("data", &layer).to_owned();
    let mut reader = Reader { layer: &layer, data: &data, values: Vec::new(), mistakes: &mut mistakes };
    let configuration = Configuration::read(&mut reader);
    let values = reader.values;
    if let Some(configuration) = &configuration {
        check(configuration, &values, &mut mistakes);
        guards::check(&guards, configuration, &mut mistakes);
        door::check(&doors, &mut mistakes);
        let shutdown = Duration::from_secs(configuration.limits.shutdown_seconds_max);
        guards.iter_mut().for_each(|guard| guard.proxy.bounds.shutdown = shutdown);
    }
    match configuration {
        Some(configuration) if mistakes.is_empty() => Ok(Loaded { configuration, guards, doors, values }),
        _ => Err(ConfigurationError { mistakes }),
    }
}

fn named_file(flags: &[(String, String)], environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    let flag = flags.iter().rev().find(|(name, _)| name == "config").map(|(_, path)| PathBuf::from(path));
    flag.or_else(|| {
        environment.iter().find(|(name, _)| name == FILE_VARIABLE).map(|(_, path)| PathBuf::from(path))
    })
}

/// The data folder's own file. It cannot move the folder that it was found in.
fn add_data_folders_file(over: &Layer, layer: &mut Layer, tables: &mut Tables, mistakes: &mut Vec<Mistake>) {
    let path = PathBuf::from(text_of("data", over)).join("keystead.toml");
    if !path.exists() {
        return;
    }
    sources::add_file(&path, layer, tables, mistakes);
    if let Some(given) = layer.get("data") {
        mistakes.push(Mistake::new(
            given.source.place(),
            "a file in the data folder cannot say where the data folder is.",
            "Remove `data` here, or start with --config and this file's path.",
        ));
    }
}

fn text_of<'a>(name: &str, layer: &'a Layer) -> &'a str {
    match layer.get(name) {
        Some(given) => &given.text,
        None => sources::named(name).map_or("", |setting| setting.default),
    }
}

/// Reads one field after the other, and remembers what is in force.
pub(super) struct Reader<'a> {
    layer: &'a Layer,
    data: &'a str,
    values: Vec<InForce>,
    mistakes: &'a mut Vec<Mistake>,
}

impl Reader<'_> {
    /// The value of a setting; `None` when it was refused.
    pub(super) fn field<T: Value>(&mut self, name: &str) -> Option<T> {
        let setting = sources::named(name)?;
        let given = self.layer.get(name).cloned().unwrap_or_else(|| Given {
            text: setting.default.replace("{data}", self.data.trim_end_matches('/')),
            source: Source::Default,
        });
        let parsed = T::parse(&given.text, setting.kind);
        match parsed {
            Ok(value) => {
                self.values.push(InForce { setting, text: shown(setting, given.text), source: given.source });
                Some(value)
            }
            Err(refused) => {
                let detail = format!("`{name}`: {}", refused.detail);
                self.mistakes.push(Mistake::new(given.source.place(), detail, refused.fix));
                None
            }
        }
    }
}

fn shown(setting: &Setting, text: String) -> String {
    match setting.kind {
        Kind::DatabaseUrl => DatabaseUrl::new(&text).map_or_else(String::new, |url| url.masked()),
        Kind::WebhookUrl if text.is_empty() => text,
        Kind::WebhookUrl => WebhookUrl::from(text.as_str()).masked(),
        Kind::Whole { .. } => text.replace('_', ""),
        Kind::Text | Kind::Flag | Kind::Choice(_) => text,
    }
}

/// Where people sign in.
fn check_sign_in(
    configuration: &Configuration,
    place: &impl Fn(&str) -> String,
    mistakes: &mut Vec<Mistake>,
) {
    let url = configuration.sign_in.url.as_deref();
    let plain = |url: &str| url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'?'));
    if url.is_some_and(|url| !(url.starts_with("https://") || url.starts_with("http://")) || !plain(url)) {
        mistakes.push(Mistake::new(
            place("sign_in.url"),
            "this is not a URL that links can begin with.",
            "Write something like \"https://keys.example.com\".",
        ));
    }
    let passkey_domain = configuration.sign_in.passkey_domain.clone();
    let url = url.unwrap_or_default().to_owned();
    let named = passkey_domain.is_some();
    let settings = SignInSettings { url, passkey_domain, ..SignInSettings::default() };
    if named && settings.passkey_site().is_none() {
        mistakes.push(Mistake::new(
            place("sign_in.passkey_domain"),
            "this is neither the host of `sign_in.url` nor a domain above it, or that is no https URL.",
            "Set `sign_in.url` to something like \"https://keys.example.com\", and this to \"example.com\".",
        ));
    }
}

/// What no single setting can tell.
fn check(configuration: &Configuration, values: &[InForce], mistakes: &mut Vec<Mistake>) {
    let place = |name: &str| {
        let value = values.iter().find(|value| value.setting.name == name);
        value.map_or_else(String::new, |value| value.source.place())
    };
    if configuration.root_key.source == RootKeyFrom::Command && configuration.root_key.command.is_none() {
        mistakes.push(Mistake::new(
            place("root_key.source"),
            "the root key is to come from a command, and none is named.",
            "Set `root_key.command` too.",
        ));
    }
    check_smtp(configuration, &place, mistakes);
    check_sign_in(configuration, &place, mistakes);
    let tls = &configuration.tls;
    match (&tls.certificate, &tls.key) {
        (Some(_), None) => mistakes.push(Mistake::new(
            place("tls.certificate"),
            "there is a certificate without its private key.",
            "Set `tls.key` too.",
        )),
        (None, Some(_)) => mistakes.push(Mistake::new(
            place("tls.key"),
            "there is a private key without its certificate.",
            "Set `tls.certificate` too.",
        )),
        (None, None) if !configuration.listen.ip().is_loopback() && !configuration.allow_plain_http => {
            mistakes.push(Mistake::new(
                place("listen"),
                "plain HTTP on an address that others reach would show them every key.",
                "Set `tls.certificate` and `tls.key`, or listen on 127.0.0.1; where a proxy on a trusted network \
                 adds TLS, set `allow_plain_http`.",
            ));
        }
        _ => {}
    }
}

/// What the settings of mail say together.
fn check_smtp(configuration: &Configuration, place: &dyn Fn(&str) -> String, mistakes: &mut Vec<Mistake>) {
    let smtp = &configuration.smtp;
    if smtp.host.is_some() != smtp.from.is_some() {
        let (set, missing) =
            if smtp.host.is_some() { ("smtp.host", "smtp.from") } else { ("smtp.from", "smtp.host") };
        mistakes.push(Mistake::new(
            place(set),
            "mail needs a server and a sender, and only one is named.",
            format!("Set `{missing}` too."),
        ));
    }
    if smtp.host.as_deref().is_some_and(|host| host.contains(|c: char| c.is_whitespace() || c.is_control())) {
        mistakes.push(Mistake::new(
            place("smtp.host"),
            "this is not a host.",
            "Write a host name or an IP address, without a port: that is `smtp.port`.",
        ));
    }
    if smtp.password_file.is_some() && smtp.username.is_none() {
        mistakes.push(Mistake::new(
            place("smtp.password_file"),
            "there is a password without a user name.",
            "Set `smtp.username` too, or remove it.",
        ));
    }
    if configuration.shows_mail() {
        mistakes.push(Mistake::new(
            place("smtp.security"),
            "without TLS everybody on the way to the mail server reads what is sent, and the password.",
            "Set `smtp.security` to \"tls\" or \"starttls\"; where the way is a trusted network, set `smtp.allow_plain`.",
        ));
    }
}
