//! `/passkeys`: the page on which browsers are asked.

use crate::house::{House, on_both_engines};

mod browser;

on_both_engines! {
    the_page_loads_nothing_from_elsewhere_and_nothing_inline,
}

async fn the_page_loads_nothing_from_elsewhere_and_nothing_inline(house: House) {
    let page = house.stranger.get("/passkeys").await;
    for (path, kind) in [
        ("/passkeys", "text/html; charset=utf-8"),
        ("/assets/passkeys.css", "text/css; charset=utf-8"),
        ("/assets/passkeys.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = house.stranger.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.headers["content-type"].to_str().unwrap()), (200, kind));
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        for part in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"]
        {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    let text = page.text.as_str();
    for inline in ["<style", " style=", "onclick", "onload", "javascript:", "http://", "https://"] {
        assert!(!text.contains(inline), "{inline}");
    }
    assert_eq!(text.matches("<script").count(), 1);
    assert!(text.contains("<script src=\"assets/passkeys.js\" defer></script>"));
    // For who cannot see it, or has no mouse.
    for accessible in ["lang=\"en\"", "role=\"alert\"", "role=\"status\"", "<main>", "name=\"viewport\""] {
        assert!(text.contains(accessible), "{accessible}");
    }
    for field in text.split("<input ").skip(1) {
        let id = field.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(text.contains(&format!("<label for=\"{id}\">")), "{id} has no label");
    }
}
