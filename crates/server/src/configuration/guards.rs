//! All tables `[[guard]]` together: what no single one can tell.

use super::Configuration;
use super::guard::{GUARDS_MAX, Guard};
use super::mistake::Mistake;

/// What no single table can tell.
pub(super) fn check(guards: &[Guard], configuration: &Configuration, mistakes: &mut Vec<Mistake>) {
    if guards.len() > GUARDS_MAX {
        let detail = format!("these are {} guards.", guards.len());
        mistakes.push(Mistake::new(
            "[[guard]]",
            detail,
            format!("Keep {GUARDS_MAX}; start further servers for more."),
        ));
    }
    for (at, guard) in guards.iter().enumerate() {
        let others = guards.iter().take(at).map(|other| other.listen).chain([configuration.listen]);
        if guard.listen.port() != 0 && others.into_iter().any(|other| other == guard.listen) {
            let detail = "something else of this server listens there already.";
            mistakes.push(Mistake::new(
                &guard.place,
                detail,
                "Choose another address or port for `guard.listen`.",
            ));
        }
        if guard.tls.is_none() && !guard.listen.ip().is_loopback() && !configuration.allow_plain_http {
            mistakes.push(Mistake::new(
                &guard.place,
                "plain HTTP on an address that others reach would show them every key.",
                "Set `certificate` and `key`, or listen on 127.0.0.1; where a proxy on a trusted network adds TLS, \
                 set `allow_plain_http`.",
            ));
        }
    }
}
