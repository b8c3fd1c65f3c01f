//! Endpoints: `'GET,POST /v1/zones/*'`, or a path alone for any method.

use keystead_sdk::api::Endpoint;

/// Reads `[METHOD[,METHOD…] ]PATH`.
pub(crate) fn endpoint(text: &str) -> Result<Endpoint, String> {
    let form = || format!("`{text}` is not '[METHODS ]PATH', such as 'GET,POST /v1/zones/*' or '/v1/**'");
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let (methods, path) = match words.as_slice() {
        [path] => (Vec::new(), *path),
        [methods, path] => (methods.split(',').map(str::to_ascii_uppercase).collect(), *path),
        _ => return Err(form()),
    };
    if !path.starts_with('/') || methods.iter().any(String::is_empty) {
        return Err(form());
    }
    Ok(Endpoint { methods, path: path.to_owned() })
}

/// As an endpoint is written: the inverse of [`endpoint`].
pub(crate) fn endpoint_text(endpoint: &Endpoint) -> String {
    if endpoint.methods.is_empty() {
        return endpoint.path.clone();
    }
    format!("{} {}", endpoint.methods.join(","), endpoint.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_and_written_back() {
        for text in ["GET,POST /v1/zones/*", "* /v1/**", "/v1/zones"] {
            assert_eq!(endpoint_text(&endpoint(text).unwrap()), text);
        }
        assert_eq!(endpoint("get /a").unwrap().methods, ["GET"]);
    }

    #[test]
    fn texts_that_are_no_endpoints_are_refused() {
        for text in ["", "GET", "GET zones", "GET, /a", ",GET /a", "GET POST /a", "GET /a b"] {
            assert!(endpoint(text).is_err(), "{text}");
        }
    }
}
