//! `keystead doctor` on the own proxy: what its table names, and whether its API is there.

use crate::house::{House, free_port};
use crate::upstream::Upstream;
use serde_json::Value;
use std::fs;
use std::process::Command;

fn findings(house: &House) -> Vec<Value> {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_keystead"));
    doctor.args(["doctor", "--json", "--config"]).arg(house.path("keystead.toml"));
    let output = doctor.arg("--data").arg(house.path("data")).env_clear().output().unwrap();
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    all.into_iter().filter(|finding| finding["check"] == "guard").collect()
}

#[test]
fn doctor_looks_at_guards_and_their_upstreams() {
    let upstream = Upstream::start();
    let house = House::start(&upstream);
    let found = findings(&house);
    assert_eq!((found.len(), &found[0]["health"]), (1, &Value::from("ok")), "{found:?}");

    let path = house.path("keystead.toml");
    let text = fs::read_to_string(&path).unwrap();
    let silent = format!("127.0.0.1:{}", free_port());
    let other = text.replace(&format!("127.0.0.1:{}", upstream.port), &silent);
    fs::write(&path, format!("{other}\n{}", text.replace(&house.own.to_string(), &free_port().to_string())))
        .unwrap();
    let found = findings(&house);
    let health: Vec<_> = found.iter().map(|finding| finding["health"].as_str().unwrap()).collect();
    assert_eq!(health, ["warning", "ok"], "{found:?}");
    assert!(found[0]["what"].as_str().unwrap().contains(&silent), "{found:?}");

    fs::write(
        &path,
        format!("{text}ca_file = \"{}\"\n", house.path("none.pem").display()).replace("http://", "https://"),
    )
    .unwrap();
    let found = findings(&house);
    assert_eq!((found.len(), &found[0]["health"]), (1, &Value::from("failed")), "{found:?}");
    assert!(found[0]["fix"].as_str().unwrap().contains("ca_file"), "{found:?}");
}
