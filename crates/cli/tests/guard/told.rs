//! What clients are told of their keys, beside what the API answers.

use crate::Table;
use crate::house::House;
use serde_json::json;

const TOLD: [&str; 3] = ["x-keystead-key-expires", "ratelimit", "ratelimit-policy"];

pub(crate) fn of_keys(table: &mut Table<'_>, house: &House) {
    house.set_guard(&json!({"rate_limit_headers": true}));
    let (ending, _) =
        house.issue(&["--permission", "orders.*", "--limit", "default=5/1h", "--expires", "3d"]);
    let (lasting, _) = house.issue(&["--permission", "orders.*"]);
    for (key, something) in [(ending, true), (lasting, false)] {
        let (answer, reached) = table.ask("GET", "/v1/orders", &[("X-API-Key", &key)], b"");
        table.check(answer.status() == 200, "told: passes", &answer);
        // Traefik hands on to the API alone what Keystead answers.
        let times = usize::from(something && table.proxy.name != "traefik");
        for header in TOLD {
            let told = answer.headers.iter().filter(|(name, _)| name == header).count();
            table.check(told == times, &format!("told: {header}, {times}"), &answer);
            let gets = reached.iter().any(|message| message.header(header).is_some());
            table.check(!gets, &format!("told: {header} is not for the API"), &reached);
        }
    }
    house.set_guard(&json!({"rate_limit_headers": false}));
}
