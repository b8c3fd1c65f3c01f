//! Every worked example of docs/POLICIES.md: its policy is one, and its cases come out as they say.

use super::PATH;
use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    the_examples_do_what_they_say,
}

/// Each policy of the page with the cases that follow it.
fn examples() -> Vec<(String, Value)> {
    let page = include_str!("../../../../../../docs/POLICIES.md");
    let block = |rest: &str, kind: &str| -> Option<(String, usize)> {
        let opening = format!("```{kind}\n");
        let from = rest.find(&opening)? + opening.len();
        let to = from + rest[from..].find("```")?;
        Some((rest[from..to].to_owned(), to))
    };
    let (mut found, mut rest) = (Vec::new(), page);
    while let Some((policy, end)) = block(rest, "cedar") {
        rest = &rest[end..];
        let (cases, end) = block(rest, "toml").unwrap();
        rest = &rest[end..];
        found.push((policy, toml::from_str(&cases).unwrap()));
    }
    found
}

async fn the_examples_do_what_they_say(house: House) {
    let examples = examples();
    assert!(examples.len() >= 6, "{}", examples.len());
    for (text, mut test) in examples {
        test["text"] = json!(text);
        let tried = house.admin.post(&format!("{PATH}/test"), test).await.ok();
        let cases = tried["cases"].as_array().unwrap();
        assert!(cases.iter().any(|case| case["decision"] == "forbid"), "{text}");
        assert!(cases.iter().any(|case| case["decision"] == "allow"), "{text}");
        for case in cases {
            assert_eq!(case["passed"], true, "{text}\n{case}");
        }
    }
}
