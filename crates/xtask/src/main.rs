//! The project's chores, run as `cargo xtask …`.

mod bench;
mod debian;
mod demo;
mod fuzz;
mod harness;
mod npm;
mod openapi;
mod process;
mod pypi;
#[cfg(test)]
mod reliability;
mod say;
mod schemathesis;
mod signals;
mod test;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
Keystead's chores

Usage: cargo xtask <COMMAND> [OPTIONS]

Commands:
  test     Install what tests need, check format and lints, test on SQLite and PostgreSQL
  demo     Build the release binary, start it, fill it with a demo organization
  bench    Build and run the benchmarks: cargo xtask bench verify [--json]
  openapi  Write docs/openapi.json anew from the code
  harness  Kill the server again and again and check that nothing is lost: cargo xtask harness [--rounds N]
  schemathesis
           Test a real server against its OpenAPI document: cargo xtask schemathesis [--minutes N]
  sdks     Test the SDKs for Python, TypeScript and Go against a real server
  fuzz     Fuzz what outsiders can reach: cargo xtask fuzz [TARGET] [--seconds N]

cargo xtask <COMMAND> --help tells more.";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            say::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<_> = arguments.collect();
    match command.to_str() {
        Some("test") => test::main(rest),
        Some("demo") => demo::main(rest),
        Some("bench") => bench::main(&rest),
        Some("openapi") => openapi::main(&rest),
        Some("harness") => harness::main(rest),
        Some("schemathesis") => schemathesis::main(rest),
        Some("sdks") => test::sdks::main(&rest),
        Some("fuzz") => fuzz::main(rest),
        Some("help" | "--help" | "-h") => {
            say::line(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        Some("") => anyhow::bail!("no command given\n\n{USAGE}"),
        _ => anyhow::bail!("there is no command {}\n\n{USAGE}", command.display()),
    }
}
