//! Text from the server, made safe for a terminal.

/// What stands where a character was taken out.
const TAKEN_OUT: char = '\u{fffd}';

/// The text with every character that a terminal obeys instead of showing replaced by `�`.
///
/// Names and metadata are written by others: an escape sequence in one could clear the screen, set
/// the window's title or fake output; a bidirectional control could make one name look like another
/// (CVE-2021-42574).
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if obeyed(c) { TAKEN_OUT } else { c }).collect()
}

/// JSON with those characters escaped, which is the same JSON: `serde_json` leaves the ones above
/// U+001F as they are. They can only stand inside of strings.
pub(crate) fn plain_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && obeyed(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// C0, DEL and C1 controls; line separators; bidirectional and invisible format characters; tags.
fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_their_effect() {
        for text in
            ["\u{1b}]0;title\u{7}", "\u{9b}31m", "a\rb", "a\nb", "\u{8}", "\u{7f}", "\u{202e}gpj", "\u{200b}"]
        {
            assert!(!plain(text).chars().any(obeyed), "{text:?}");
        }
    }

    #[test]
    fn words_of_any_language_stay() {
        for text in ["Müller & Søn", "東京", "مرحبا", "🔑 key", "a\u{301}", "می\u{200c}خواهم"]
        {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "name": "\u{1b}[31m\u{9b}\u{202e}\u{e0041}\u{7f}é" });
        for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
            let safe = plain_json(&text);
            assert!(!safe.chars().any(|c| c != '\n' && obeyed(c)), "{safe:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        }
    }
}
