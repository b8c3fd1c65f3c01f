//! Words of the API's closed sets: `active`, `monthly`, `private`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a word as the API does.
pub(crate) fn named<T: DeserializeOwned>(word: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(word.to_owned())).map_err(|error| error.to_string())
}

/// The word that the API uses.
pub(crate) fn name<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
