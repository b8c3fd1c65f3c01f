//! Texts that are policies, and texts that are none.

use super::*;
use crate::read::{Mistake, TEXT_BYTES_MAX};

fn mistakes(text: &str) -> Vec<Mistake> {
    policy(1, None, text).mistakes().to_vec()
}

#[test]
fn a_permit_is_refused_and_it_is_said_where() {
    let found = mistakes(
        "// permit\n@id(\"permit\")\nforbid (principal, action, resource);\n  permit (principal, action, resource);",
    );
    assert_eq!((found[0].line, found[0].column), (4, 3), "{found:?}");
    assert!(found[0].what.contains("can only forbid"), "{found:?}");
}

#[test]
fn a_mistake_has_its_line_its_column_and_an_advice() {
    let found = mistakes(
        "forbid (principal is Key,\n  action == Action::\"verify\", resource)\nwhen { principal.tag == \"ci\" };",
    );
    assert_eq!((found[0].line, found[0].column), (3, 8), "{found:?}");
    assert!(found[0].advice.contains("tags"), "{found:?}");
    let found = mistakes("forbid (principal, action, resource) when {");
    assert_eq!(found[0].line, 1, "{found:?}");
    // Not every principal has tags, not every request an address.
    let found = mistakes("forbid (principal, action, resource) when { principal.tags.contains(\"ci\") };");
    assert!(found[0].advice.contains("principal is Key"), "{found:?}");
    let found = mistakes("forbid (principal, action, resource) when { context.ip.isLoopback() };");
    assert!(found[0].advice.contains("context has ip"), "{found:?}");
}

#[test]
fn what_can_be_about_nobody_is_refused() {
    for text in [
        // A team by its name, where an id belongs.
        "forbid (principal in Team::\"Admin\", action, resource);",
        "forbid (principal, action, resource) when { principal in Team::\"Admin\" };",
        "forbid (principal, action, resource == Environment::\"production\");",
        // No such action, and a group, which nobody does.
        "forbid (principal, action == Action::\"keys.steal\", resource);",
        "forbid (principal, action == Action::\"write\", resource);",
        // Never true.
        "forbid (principal, action, resource) when { false };",
        "forbid (principal is Team, action, resource);",
    ] {
        assert!(!mistakes(text).is_empty(), "{text}");
    }
}

#[test]
fn templates_nothing_and_too_much_are_refused() {
    let many = "forbid (principal, action, resource);".repeat(17);
    let long = format!("//{}\nforbid (principal, action, resource);", "x".repeat(TEXT_BYTES_MAX));
    for text in
        ["", " \n", "// nothing", "forbid (principal == ?principal, action, resource);", &many, &long, "a\0b"]
    {
        assert!(!mistakes(text).is_empty(), "{}", text.len());
    }
    assert_eq!(mistakes(&"forbid (principal, action, resource);".repeat(16)), []);
}

/// Cedar's parser and the trees that it makes recurse: what could be too deep for a thread is refused before.
#[test]
fn the_deepest_text_is_read_and_asked_on_a_small_stack() {
    let deepest = |open: usize, operators: usize| {
        let sum = "context.hour + ".repeat(operators / 2);
        let (before, after) = ("(".repeat(open), ")".repeat(open));
        format!(
            "forbid (principal is Key, action == Action::\"verify\", resource) when {{ {before}{sum}1 > 0{after} }};"
        )
    };
    let small = std::thread::Builder::new().stack_size(2 << 20);
    let judged = small.spawn(move || {
        let place = place(false);
        enforce(&place, &[&deepest(22, 240)]);
        let is = is_forbidden(&entry(1, &place, &account()), &Ask::default(), NOON);
        let not = "!".repeat(8_000);
        let too_deep = [
            deepest(2_000, 0),
            deepest(0, 4_000),
            format!("forbid (principal, action, resource) when {{ {not}true }};"),
            format!(
                "forbid (principal, action, resource) when {{ {}true }};",
                "if true then true else ".repeat(500)
            ),
            format!("forbid (principal, action, resource) when {{ principal{} }};", ".a".repeat(4_000)),
        ];
        (is, too_deep.map(|text| mistakes(&text).len()))
    });
    let (is, too_deep) = judged.unwrap().join().unwrap();
    assert!(is);
    assert_eq!(too_deep, [1; 5]);
}

#[test]
fn the_schema_has_every_action_in_its_groups() {
    let schema = LANGUAGE.schema();
    assert!(schema.contains("action \"keys.delete\" in [\"write\", \"keys\"]"), "{schema}");
    assert!(schema.contains("action \"keys.verify\" appliesTo"), "{schema}");
    assert!(LANGUAGE.knows("verify") && !LANGUAGE.knows("write"));
}
