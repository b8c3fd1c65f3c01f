//! The body of a verify request.

use crate::mutation::{Mutation, config, mutated};
use crate::query;
use keystead_api::Verify;
use keystead_domain::resource;
use proptest::prelude::*;

const SEEDS: [&str; 3] = [
    r#"{"key":"acme_live_x"}"#,
    r#"{"key":"k","project":"acme","environment":"production","ip":"192.0.2.1","method":"GET","path":"/v1/x","origin":"https://a.example","user_agent":"curl/8","resource":"networks/NET-7","permissions":"routes.read","cost":1,"tags":["a"],"include":["metadata"],"explain":true}"#,
    r#"{"key":"k","permissions":{"all":["routes.read",{"any":["zones.read",{"permission":"a","resource":"b/c"}]}]}}"#,
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_verify_body_is_read_whole_or_refused_and_never_prints_its_key(mutation: Mutation) {
        let sent = mutated(&SEEDS, &query::PIECES, &mutation);
        if let Ok(mut body) = serde_json::from_slice::<Verify>(&sent) {
            let again = serde_json::to_vec(&body).expect("serializable");
            let read = serde_json::from_slice::<Verify>(&again).ok();
            prop_assert_eq!(read.as_ref(), Some(&body));
            body.permissions.iter().for_each(query::check);
            let _ = body.resource.as_deref().map(resource::check);
            body.key = "canary-in-the-key".to_owned();
            let printed = format!("{body:?}");
            prop_assert!(!printed.contains("canary"));
        }
    }
}
