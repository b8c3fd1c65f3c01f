//! Tables of guards and doors: what is read, refused, shown.

use super::{ConfigurationError, Loaded, load};

fn with(text: &str) -> Result<Loaded, ConfigurationError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("given.toml");
    std::fs::write(&path, text).unwrap();
    load(&[("config".to_owned(), path.to_str().unwrap().to_owned())], [])
}

const WHOLE: &str = "\
[[guard]]
listen = \"127.0.0.1:8080\"
upstreams = [\"http://127.0.0.1:9000\", \"https://api.internal\"]
project = \"registry\"
environment = \"production\"
";

#[test]
fn a_guard_is_read_and_shown_as_it_can_be_read_again() {
    let text = format!(
        "{WHOLE}body_bytes_max = 1_000\nhealth_path = \"/up?a\"\n\n{}http2 = true\nupgrades = []\n",
        WHOLE.replace("8080", "8081")
    );
    let loaded = with(&text).unwrap();
    let [first, second] = &loaded.guards[..] else { panic!("{:?}", loaded.guards) };
    assert_eq!(
        (first.listen.port(), first.whose.project.as_str(), first.whose.environment.as_str()),
        (8080, "registry", "production")
    );
    assert_eq!(
        (first.proxy.upstreams.len(), first.proxy.body_bytes_max, first.proxy.http2),
        (2, 1_000, false)
    );
    assert_eq!((&first.proxy.upgrades[..], first.proxy.idle.as_secs()), (&["websocket".to_owned()][..], 300));
    assert!(second.proxy.http2 && second.proxy.upgrades.is_empty() && second.proxy.body_bytes_max == 1 << 30);
    let health = first.proxy.health.as_ref().unwrap();
    assert_eq!((health.path.as_str(), health.failures_max, health.successes_min), ("/up?a", 3, 2));
    assert_eq!((health.interval.as_secs(), health.answer.as_secs()), (5, 2));
    assert!(second.proxy.health.is_none());
    let shown = loaded.show();
    let again = with(&shown).unwrap();
    assert_eq!(again.guards.len(), 2, "{shown}");
    assert!(
        again.guards.iter().zip(&loaded.guards).all(|(again, guard)| again.shown == guard.shown),
        "{shown}"
    );
    let json = loaded.show_json();
    let guards: Vec<_> = json.as_array().unwrap().iter().filter(|entry| entry["name"] == "guard").collect();
    assert_eq!((guards.len(), &guards[1]["value"]["http2"]), (2, &true.into()));
    assert!(guards[0]["source"].as_str().unwrap().ends_with("given.toml:1"), "{json}");
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_a_fix() {
    for (text, told) in [
        (
            format!("{WHOLE}upsteams = []"),
            "given.toml:6: there is no setting `guard.upsteams`. Did you mean `guard.upstreams`?",
        ),
        (format!("{WHOLE}zzzzzzzz = 1"), "Remove it; docs/PROXY.md lists every setting."),
        (WHOLE.replace("project", "#"), "given.toml:1: `guard.project`: it is missing."),
        (WHOLE.replace("127.0.0.1:8080", "localhost"), "given.toml:2: `guard.listen`: this cannot be read."),
        (WHOLE.replace("http://127.0.0.1:9000", "ftp://a"), "given.toml:3: `guard.upstreams`"),
        (WHOLE.replace("https://api.internal", "https://api.internal/v1"), "given.toml:3: `guard.upstreams`"),
        (WHOLE.replace("upstreams = [", "upstreams = [] #"), "given.toml:3: `guard.upstreams`"),
        (format!("{WHOLE}upgrades = [\"h2c\"]"), "nothing that carries HTTP again"),
        (format!("{WHOLE}answer_seconds_max = 0"), "Write a whole number from 1 to 3600"),
        (format!("{WHOLE}health_path = \"healthz\""), "given.toml:6: `guard.health_path`: this is no path."),
        (format!("{WHOLE}health_path = \"/a b\""), "`guard.health_path`: this is no path."),
        (format!("{WHOLE}health_successes_min = 0"), "Write a whole number from 1 to 100"),
        (format!("{WHOLE}http2 = \"yes\""), "Write true or false, without quotes."),
        (format!("{WHOLE}key = \"a.key\""), "one of certificate and key is missing"),
        (format!("{WHOLE}{WHOLE}"), "listens there already"),
        (WHOLE.replace("8080", "7700"), "listens there already"),
        (WHOLE.replace("127.0.0.1:8080", "0.0.0.0:8080"), "plain HTTP on an address that others reach"),
        (WHOLE.replace("[[guard]]", "[guard]"), "in two brackets"),
        ("guard = [1]".to_owned(), "in two brackets"),
    ] {
        let error = with(&text).unwrap_err();
        assert_eq!(error.mistakes.len(), 1, "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
    let open = format!("allow_plain_http = true\n{}", WHOLE.replace("127.0.0.1:8080", "0.0.0.0:8080"));
    assert!(with(&open).is_ok());
    let many: String = (0..65).map(|at| WHOLE.replace("8080", &(10_000 + at).to_string())).collect();
    assert!(with(&many).unwrap_err().to_string().contains("these are 65 guards"));
}

const DOOR: &str = "\
[[door]]
socket = \"/run/keystead/shop.sock\"
project = \"registry\"
environment = \"production\"
";

#[test]
fn a_door_is_read_and_shown_as_it_can_be_read_again() {
    let text = format!("{WHOLE}{DOOR}organization = \"acme\"\n{}", DOOR.replace("shop", "other"));
    let loaded = with(&text).unwrap();
    let [first, second] = &loaded.doors[..] else { panic!("{:?}", loaded.doors) };
    assert_eq!((loaded.guards.len(), first.socket.to_str()), (1, Some("/run/keystead/shop.sock")));
    assert_eq!(first.whose.organization.as_deref(), Some("acme"));
    assert_eq!((second.whose.organization.as_deref(), second.whose.project.as_str()), (None, "registry"));
    let again = with(&loaded.show()).unwrap();
    assert!(again.settings_unlike(&loaded).is_empty(), "{}", loaded.show());
    assert_eq!(with(WHOLE).unwrap().settings_unlike(&loaded), ["door"]);
    let json = loaded.show_json();
    let doors: Vec<_> = json.as_array().unwrap().iter().filter(|entry| entry["name"] == "door").collect();
    assert_eq!((doors.len(), &doors[0]["value"]["organization"]), (2, &"acme".into()));
}

#[test]
fn what_is_wrong_with_a_door_is_told_with_its_line_and_a_fix() {
    let long = format!("/{}", "a".repeat(107));
    for (text, told) in [
        (format!("{DOOR}sockt = 1"), "there is no setting `door.sockt`. Did you mean `door.socket`?"),
        (format!("{DOOR}zzzzzzzz = 1"), "Remove it; docs/GUARD.md lists every setting."),
        (DOOR.replace("socket", "#"), "Add it: a door needs socket, project and environment."),
        (DOOR.replace("environment", "#"), "given.toml:1: `door.environment`: it is missing."),
        (
            DOOR.replace("/run/keystead/shop.sock", "shop.sock"),
            "given.toml:2: `door.socket`: this is no absolute",
        ),
        (DOOR.replace("/run/keystead/shop.sock", "/"), "this is no absolute path of a socket"),
        (DOOR.replace("/run/keystead/shop.sock", &long), "at most 107 bytes"),
        (format!("{DOOR}{DOOR}"), "given.toml:5: another door of this server is there already."),
        (DOOR.replace("[[door]]", "[door]"), "in two brackets"),
    ] {
        let error = with(&text).unwrap_err();
        assert_eq!(error.mistakes.len(), 1, "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
    let many: String = (0..65).map(|at| DOOR.replace("shop", &at.to_string())).collect();
    assert!(with(&many).unwrap_err().to_string().contains("these are 65 doors"));
}
