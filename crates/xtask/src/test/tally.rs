//! Reads what `cargo test` says and counts, by package and by database engine.

use std::collections::BTreeMap;

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Counts {
    /// How many tests ran.
    pub(crate) fn ran(self) -> u64 {
        self.passed + self.failed
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

/// `3 passed, 1 failed`, and `, 2 skipped` where some were.
impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 {
            write!(f, ", {} skipped", self.ignored)?;
        }
        Ok(())
    }
}

/// A database engine; its tests have its name as a module on their path.
const ENGINES: [&str; 2] = ["sqlite", "postgres"];

/// Counts as lines go by.
#[derive(Default)]
pub(crate) struct Tally {
    /// Which package a test program belongs to, by the program's file name
    /// with or without cargo's hash.
    programs: BTreeMap<String, String>,
    current: String,
    packages: BTreeMap<String, Counts>,
    engines: [Counts; ENGINES.len()],
    failures: Vec<String>,
}

impl Tally {
    /// A tally that knows which package each test program belongs to.
    pub(crate) fn new(programs: BTreeMap<String, String>) -> Self {
        Self { programs, ..Self::default() }
    }

    /// From here on, a program of this name (whatever its hash) belongs to this package.
    pub(crate) fn name_program(&mut self, name: &str, package: &str) {
        self.programs.insert(name.to_owned(), package.to_owned());
    }

    /// Takes in one line of output.
    pub(crate) fn line(&mut self, line: &str) {
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix("Running ") {
            self.enter_program(rest);
        } else if let Some(library) = line.strip_prefix("Doc-tests ") {
            self.current = library.replace('_', "-");
        } else if let Some(rest) = line.strip_prefix("test result: ") {
            let counts = counts_of(rest);
            *self.packages.entry(self.current.clone()).or_default() += counts;
        } else if let Some(rest) = line.strip_prefix("test ") {
            self.test(rest);
        }
    }

    /// `unittests src/lib.rs (target/debug/deps/keystead_api-0123456789abcdef)`
    fn enter_program(&mut self, rest: &str) {
        let program = rest.rsplit(['(', '/']).next().unwrap_or(rest).trim_end_matches(')');
        let name = program.rsplit_once('-').map_or(program, |(name, _)| name);
        let package = self.programs.get(program).or_else(|| self.programs.get(name));
        self.current = package.cloned().unwrap_or_else(|| name.replace('_', "-"));
    }

    /// `sqlite::keys::are_listed ... ok`
    fn test(&mut self, rest: &str) {
        let Some((name, outcome)) = rest.rsplit_once(" ... ") else {
            return;
        };
        let one = match outcome.split([',', ' ']).next() {
            Some("ok") => Counts { passed: 1, ..Counts::default() },
            Some("FAILED") => Counts { failed: 1, ..Counts::default() },
            Some("ignored") => Counts { ignored: 1, ..Counts::default() },
            _ => return,
        };
        if one.failed > 0 {
            self.failures.push(format!("{}: {name}", self.current));
        }
        let modules = name.split("::").collect::<Vec<_>>();
        let modules = modules.split_last().map_or(&[][..], |(_, modules)| modules);
        for (engine, counts) in ENGINES.iter().zip(&mut self.engines) {
            if modules.contains(engine) {
                *counts += one;
            }
        }
    }

    /// All of them.
    pub(crate) fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in self.packages.values() {
            total += *counts;
        }
        total
    }

    /// By package, without those that have no tests.
    pub(crate) fn packages(&self) -> impl Iterator<Item = (&str, Counts)> {
        let packages = self.packages.iter().map(|(name, counts)| (name.as_str(), *counts));
        packages.filter(|(_, counts)| *counts != Counts::default())
    }

    /// By engine.
    pub(crate) fn engines(&self) -> impl Iterator<Item = (&'static str, Counts)> {
        ENGINES.into_iter().zip(self.engines)
    }

    /// `package: path::of::the::test` of each that failed.
    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }
}

/// `ok. 12 passed; 0 failed; 1 ignored; 0 measured; …`
fn counts_of(rest: &str) -> Counts {
    let count = |what: &str| {
        let found = rest.split([';', '.']).filter_map(|part| part.trim().strip_suffix(what)).next();
        found.and_then(|number| number.trim().parse().ok()).unwrap_or_default()
    };
    Counts { passed: count(" passed"), failed: count(" failed"), ignored: count(" ignored") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "   Compiling keystead-store v0.1.0
     Running unittests src/lib.rs (target/debug/deps/keystead_domain-00ff00ff00ff00ff)

running 2 tests
test token::parses ... ok
test token::rejects - should panic ... ok

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

     Running tests/contract.rs (/elsewhere/debug/deps/contract-1122334455667788)

running 4 tests
test sqlite::keys::are_listed ... ok
test postgres::keys::are_listed ... FAILED
test postgres::keys::slow ... ignored, takes a day
test says_postgres ... ok

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s

   Doc-tests keystead_domain

running 1 test
test crates/domain/src/lib.rs - token (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s";

    fn tally() -> Tally {
        let program = ("contract-1122334455667788".to_owned(), "keystead-store".to_owned());
        let mut tally = Tally::new(BTreeMap::from([program]));
        OUTPUT.lines().for_each(|line| tally.line(line));
        tally
    }

    #[test]
    fn every_result_line_is_added_up() {
        assert_eq!(tally().total().to_string(), "5 passed, 1 failed, 1 skipped");
        assert_eq!(tally().total().ran(), 6);
    }

    #[test]
    fn programs_and_documentation_count_for_their_package() {
        let tally = tally();
        let packages: Vec<_> = tally.packages().map(|(name, counts)| format!("{name}: {counts}")).collect();
        assert_eq!(
            packages,
            ["keystead-domain: 3 passed, 0 failed", "keystead-store: 2 passed, 1 failed, 1 skipped"]
        );
    }

    #[test]
    fn engines_are_counted_by_module_not_by_word() {
        let tally = tally();
        let engines: Vec<_> = tally.engines().map(|(name, counts)| format!("{name}: {counts}")).collect();
        assert_eq!(engines, ["sqlite: 1 passed, 0 failed", "postgres: 0 passed, 1 failed, 1 skipped"]);
        assert_eq!(tally.failures(), ["keystead-store: postgres::keys::are_listed"]);
    }
}
