//! Prints the API's description, as `cargo xtask openapi` writes it to `docs/openapi.json`.

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let document = keystead_server::routes::document().to_pretty_json()?;
    writeln!(std::io::stdout(), "{document}")?;
    Ok(())
}
