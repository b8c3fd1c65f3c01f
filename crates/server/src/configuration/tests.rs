//! Precedence, refusals, masking, and the reference.

use super::{Configuration, ConfigurationError, Loaded, load, reference};
use std::ffi::OsString;
use std::path::Path;

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn with_file(
    text: &str,
    flags: &[(&str, &str)],
    variables: &[(&str, &str)],
) -> Result<Loaded, ConfigurationError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("given.toml");
    std::fs::write(&path, text).unwrap();
    let mut flags = pairs(flags);
    flags.push(("config".to_owned(), path.to_str().unwrap().to_owned()));
    load(&flags, environment(variables))
}

fn only_mistake(result: Result<Loaded, ConfigurationError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.mistakes.len(), 1, "{error}");
    error.to_string()
}

#[test]
fn the_defaults_are_valid_and_stand_below_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let loaded = load(&pairs(&[("data", data)]), []).unwrap();
    let configuration = loaded.configuration;
    assert_eq!(configuration.database.expose(), format!("sqlite:{data}/keystead.db"));
    assert_eq!(configuration.root_key_file, folder.path().join("root.key"));
    assert_eq!(configuration.listen.to_string(), "127.0.0.1:7700");
    assert_eq!(configuration.limits.body_bytes_max, 1 << 20);
    assert_eq!(configuration.tls.certificate, None);
}

#[test]
fn a_flag_stands_over_a_variable_over_the_file_over_the_default() {
    let file = "[limits]\nconnections_max = 1\nrequests_in_flight_max = 1\nidle_seconds_max = 1_0\n";
    let variables =
        [("KEYSTEAD_LIMITS_CONNECTIONS_MAX", "2"), ("KEYSTEAD_LIMITS_REQUESTS_IN_FLIGHT_MAX", "2")];
    let loaded = with_file(file, &[("limits.connections_max", "3")], &variables).unwrap();
    let limits = &loaded.configuration.limits;
    assert_eq!((limits.connections_max, limits.requests_in_flight_max), (3, 2));
    assert_eq!((limits.idle_seconds_max, limits.header_seconds_max), (10, 10));
    let shown = loaded.show();
    let line = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("limits.connections_max").starts_with("limits.connections_max = 3 "));
    assert!(line("limits.connections_max").ends_with("# flag --limits-connections-max"));
    assert!(
        line("limits.requests_in_flight_max")
            .ends_with("# environment KEYSTEAD_LIMITS_REQUESTS_IN_FLIGHT_MAX")
    );
    assert!(line("limits.idle_seconds_max").contains("given.toml:4"));
    assert!(line("limits.header_seconds_max").ends_with("# default"));
}

#[test]
fn the_data_folders_file_is_found_but_cannot_move_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = pairs(&[("data", folder.path().to_str().unwrap())]);
    let file = folder.path().join("keystead.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:1\"\n").unwrap();
    assert_eq!(load(&data, []).unwrap().configuration.listen.port(), 1);
    std::fs::write(&file, "data = \"/elsewhere\"\n").unwrap();
    assert!(only_mistake(load(&data, [])).contains("keystead.toml:1: a file in the data folder"));
}

#[test]
fn an_unknown_name_is_refused_with_a_suggestion_wherever_it_stands() {
    let mistake = only_mistake(with_file("\n[limits]\nconections_max = 5\n", &[], &[]));
    assert!(mistake.contains("given.toml:3: there is no setting `limits.conections_max`"), "{mistake}");
    assert!(mistake.ends_with("Did you mean `limits.connections_max`?"), "{mistake}");
    let mistake = only_mistake(with_file("[tls.deeper]\nx = 1\n", &[], &[]));
    assert!(mistake.contains("no setting `tls.deeper`"), "{mistake}");
    let mistake = only_mistake(load(&[], environment(&[("KEYSTEAD_LISTN", "x")])));
    assert_eq!(
        mistake,
        "KEYSTEAD_LISTN: there is no setting `KEYSTEAD_LISTN`. Did you mean `KEYSTEAD_LISTEN`?"
    );
    let mistake = only_mistake(load(&pairs(&[("log.levl", "info")]), []));
    assert!(mistake.ends_with("Did you mean `log.level`?"), "{mistake}");
    let mistake = only_mistake(load(&[], environment(&[("KEYSTEAD_ZZZZZZZZ", "x")])));
    assert!(mistake.ends_with("lists every setting."), "{mistake}");
}

#[test]
fn the_clients_and_the_tests_variables_are_none_of_the_servers_business() {
    let variables = [
        "KEYSTEAD_URL",
        "KEYSTEAD_KEY",
        "KEYSTEAD_VERIFY_KEY",
        "KEYSTEAD_SMTP_PASSWORD",
        "KEYSTEAD_TEST_POSTGRES",
        "HOME",
    ]
    .map(|name| (name, "x"));
    assert!(load(&[], environment(&variables)).is_ok());
}

#[test]
fn a_wrong_type_or_bound_says_where_and_how_to_fix_it() {
    for (file, mistake) in [
        (
            "listen = 7700",
            "given.toml:1: `listen` cannot be a whole number. Write a string in double quotes.",
        ),
        ("allow_plain_http = \"yes\"", "Write true or false, without quotes."),
        ("[limits]\nconnections_max = \"5\"", "given.toml:2: `limits.connections_max` cannot be a string."),
        (
            "[limits]\nconnections_max = 0",
            "given.toml:2: `limits.connections_max`: this number is out of bounds. Write a whole number from 1 to 1000000.",
        ),
        ("[limits]\nconnections_max = -5", "this is not a whole number."),
        ("[log]\nlevel = \"loud\"", "Write one of error, warn, info, debug, trace."),
        ("listen = \"localhost:7700\"", "Write it like 127.0.0.1:7700"),
        ("listen = ", "given.toml:1: this is not TOML:"),
    ] {
        let told = only_mistake(with_file(file, &[], &[]));
        assert!(told.contains(mistake), "{told}");
    }
    let told =
        only_mistake(load(&[], environment(&[("KEYSTEAD_USAGE_FLUSH_SECONDS", "99999999999999999999")])));
    assert!(
        told.starts_with("KEYSTEAD_USAGE_FLUSH_SECONDS: `usage.flush_seconds`: this number is out of"),
        "{told}"
    );
    let told = only_mistake(load(&pairs(&[("usage.flush_seconds", "-1")]), []));
    assert!(told.starts_with("--usage-flush-seconds: "), "{told}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let error = with_file("a = 1\nlisten = 5\n", &[("log.level", "x")], &[]).unwrap_err();
    assert_eq!(error.mistakes.len(), 3, "{error}");
}

#[test]
fn plain_http_beyond_loopback_needs_to_be_allowed() {
    let told = only_mistake(load(&pairs(&[("listen", "0.0.0.0:7700")]), []));
    assert!(told.starts_with("--listen: plain HTTP") && told.contains("`allow_plain_http`"), "{told}");
    assert!(load(&pairs(&[("listen", "0.0.0.0:7700"), ("allow_plain_http", "true")]), []).is_ok());
    assert!(load(&pairs(&[("listen", "[::1]:7700")]), []).is_ok());
    let pair = [("listen", "0.0.0.0:443"), ("tls.certificate", "a.crt"), ("tls.key", "a.key")];
    assert!(load(&pairs(&pair), []).is_ok());
    assert!(only_mistake(load(&pairs(&pair[..2]), [])).contains("Set `tls.key` too."));
}

/// LESSONS 32: a password of the database reaches neither what is shown nor a mistake nor `Debug`.
#[test]
fn a_webhooks_secret_is_shown_nowhere() {
    let flags = [("audit.checkpoint_webhook", "https://log.example.com/canary?token=canary")];
    let loaded = with_file("", &flags, &[]).unwrap();
    let shown = format!("{} {} {loaded:?}", loaded.show(), loaded.show_json());
    assert!(!shown.contains("canary") && shown.contains("\"https://log.example.com/***\""), "{shown}");
}

#[test]
fn a_canary_password_is_shown_nowhere() {
    let url = "postgres://app:canary@db/keys";
    let loaded = load(&pairs(&[("database", url)]), []).unwrap();
    let shown = format!("{}{}{loaded:?}", loaded.show(), loaded.show_json());
    assert!(!shown.contains("canary") && shown.contains("postgres://app:***@db/keys"), "{shown}");
    for file in [
        "database = \"mysql://app:canary@db/keys\"",
        "database = \"postgres://app:canary@db/keys",
        "database = postgres://app:canary@db/keys",
        "database = [\"canary\"]",
        "database = 'x' 'canary'",
    ] {
        let error = with_file(file, &[], &[]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

#[test]
fn mail_needs_a_server_and_a_sender_and_a_way_that_nobody_reads() {
    let base = [("smtp.host", "mail.example.com"), ("smtp.from", "Keys <keys@example.com>")];
    let with = |more: &[(&str, &str)]| load(&pairs(&[&base[..], more].concat()), []);
    assert!(with(&[]).is_ok() && with(&[("smtp.security", "starttls")]).is_ok());
    assert!(only_mistake(load(&pairs(&base[..1]), [])).contains("Set `smtp.from` too."));
    assert!(only_mistake(load(&pairs(&base[1..]), [])).contains("Set `smtp.host` too."));
    let told = only_mistake(with(&[("smtp.security", "none")]));
    assert!(told.starts_with("--smtp-security: ") && told.contains("`smtp.allow_plain`"), "{told}");
    assert!(with(&[("smtp.security", "none"), ("smtp.allow_plain", "true")]).is_ok());
    for host in ["localhost", "127.0.0.1", "::1"] {
        assert!(with(&[("smtp.security", "none"), ("smtp.host", host)]).is_ok(), "{host}");
    }
    assert!(only_mistake(with(&[("smtp.password_file", "x")])).contains("Set `smtp.username` too"));
    assert!(only_mistake(with(&[("smtp.host", "mail.example.com 25")])).contains("without a port"));
    let told = only_mistake(with(&[("smtp.from", "Keys <keys@example.com>\r\nBcc: b@example.com")]));
    assert!(told.contains("not an e-mail address"), "{told}");
    let told = only_mistake(with_file("[smtp]\npassword = \"canary\"\n", &[], &[]));
    assert!(told.contains("no setting `smtp.password`") && !told.contains("canary"), "{told}");
}

#[test]
fn the_password_of_mail_comes_from_a_private_file_or_a_variable() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "canary word\n").unwrap();
    let base = [("smtp.host", "127.0.0.1"), ("smtp.from", "keys@example.com"), ("smtp.security", "none")];
    let mailer = |more: &[(&str, &str)], variable: Option<&str>| {
        let loaded = load(&pairs(&[&base[..], more].concat()), []).unwrap();
        assert!(!format!("{loaded:?} {} {}", loaded.show(), loaded.show_json()).contains("canary"));
        let mailer = loaded
            .configuration
            .mailer(variable.map(std::ffi::OsString::from))
            .map_err(|error| error.to_string());
        assert!(!format!("{mailer:?}").contains("canary"));
        mailer
    };
    let file = path.to_str().unwrap();
    let (user, named) = (("smtp.username", "keys"), ("smtp.password_file", file));
    assert!(mailer(&[user], None).unwrap_err().contains("there is no password"));
    assert!(mailer(&[user, named], Some("canary")).unwrap_err().contains("remove one"));
    assert!(mailer(&[user], Some("canary")).unwrap().is_some());
    assert!(mailer(&[user], Some("canary word\n")).unwrap().is_some());
    for text in ["", "\n", "canary\nline\n", "canary\u{7}", &"canary".repeat(1_000)] {
        assert!(mailer(&[user], Some(text)).unwrap_err().contains("one line of UTF-8"), "{text}");
    }
    let bytes = std::os::unix::ffi::OsStringExt::from_vec(b"canary\xff".to_vec());
    let loaded = load(&pairs(&[&base[..], &[user]].concat()), []).unwrap();
    assert!(loaded.configuration.mailer(Some(bytes)).unwrap_err().to_string().contains("UTF-8"));
    assert!(mailer(&[], Some("canary")).unwrap_err().contains("smtp.username is not"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(mailer(&[user, named], None).unwrap_err().contains("chmod 600"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(mailer(&[user, named], None).unwrap().is_some());
    for text in ["", "\n", "canary\nline\n", &"canary".repeat(1_000)] {
        std::fs::write(&path, text).unwrap();
        assert!(mailer(&[user, named], None).unwrap_err().contains("one line"), "{text}");
    }
    assert!(mailer(&[("smtp.ca_file", file)], None).unwrap_err().contains("no certificates"));
    assert!(mailer(&[("smtp.ca_file", "/nonexistent")], None).unwrap_err().contains("cannot be read"));
    assert!(load(&[], []).unwrap().configuration.mailer(None).unwrap().is_none());
}

#[test]
fn what_is_shown_is_a_file_that_says_the_same() {
    // What is empty where the default is not is said, too: no log beside the database.
    let changed = [("log.level", "debug"), ("limits.connections_max", "7"), ("backup.log", "")];
    let loaded = load(&pairs(&changed), []).unwrap();
    let again = with_file(&loaded.show(), &[], &[]).unwrap();
    assert_eq!(again.configuration, loaded.configuration);
    assert!(again.configuration.backup.log.is_none(), "{}", loaded.show());
    assert_eq!(loaded.show_json().as_array().unwrap().len(), Configuration::settings().count());
}

#[test]
fn the_reference_in_docs_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/CONFIGURATION.md");
    if std::env::var_os("KEYSTEAD_TEST_UPDATE_DOCS").is_some() {
        std::fs::write(&path, reference()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == reference(), "run the tests with KEYSTEAD_TEST_UPDATE_DOCS=1 and commit the file");
}
