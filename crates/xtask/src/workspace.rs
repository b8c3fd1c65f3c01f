//! What cargo knows about this workspace: packages, features, test targets.

use crate::process::{capture, cargo};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The workspace.
pub(crate) struct Workspace {
    /// Its folder.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds; `CARGO_TARGET_DIR` is respected.
    pub(crate) target: PathBuf,
    /// Its packages.
    pub(crate) packages: Vec<Package>,
}

/// A package of the workspace.
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// How cargo's messages call it.
    pub(crate) id: String,
    /// Its features, without `default`.
    pub(crate) features: Vec<String>,
    /// Its integration tests.
    pub(crate) tests: Vec<String>,
}

/// A model checker replaces the standard library's atomics: what is built with this feature works
/// under the checker only, so it is never on elsewhere.
pub(crate) const LOOM: &str = "loom";

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let said = capture(cargo(&here).args(["metadata", "--no-deps", "--format-version", "1"]))?;
        Self::parse(&said).context("cargo metadata answered something unexpected")
    }

    fn parse(said: &str) -> Result<Self> {
        let said: Value = serde_json::from_str(said)?;
        let path = |name: &str| said.get(name).and_then(Value::as_str).map(PathBuf::from);
        Ok(Self {
            root: path("workspace_root").context("no workspace_root")?,
            target: path("target_directory").context("no target_directory")?,
            packages: list(&said, "packages")
                .iter()
                .map(Package::parse)
                .collect::<Option<_>>()
                .context("a package")?,
        })
    }

    /// Where a release build puts this program.
    pub(crate) fn release(&self, program: &str) -> PathBuf {
        self.target.join("release").join(program)
    }

    /// Where a build for tests puts this program.
    pub(crate) fn debug(&self, program: &str) -> PathBuf {
        self.target.join("debug").join(program)
    }

    /// Every feature of these packages but loom's, as `package/feature`.
    pub(crate) fn features(&self, only: Option<&str>) -> Vec<String> {
        self.packages
            .iter()
            .filter(|package| only.is_none_or(|only| only == package.name))
            .flat_map(|package| package.features.iter().map(move |feature| (package, feature)))
            .filter(|(_, feature)| *feature != LOOM)
            .map(|(package, feature)| format!("{}/{feature}", package.name))
            .collect()
    }

    /// The packages that have something for the model checker.
    pub(crate) fn modelled(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| {
            package.features.iter().any(|feature| feature == LOOM)
                && package.tests.iter().any(|test| test == LOOM)
        })
    }
}

impl Package {
    fn parse(said: &Value) -> Option<Self> {
        let features = said.get("features")?.as_object()?;
        Some(Self {
            name: said.get("name")?.as_str()?.to_owned(),
            id: said.get("id")?.as_str()?.to_owned(),
            features: features.keys().filter(|name| *name != "default").cloned().collect(),
            tests: list(said, "targets")
                .iter()
                .filter(|target| list(target, "kind").iter().any(|kind| kind == "test"))
                .filter_map(|target| Some(target.get("name")?.as_str()?.to_owned()))
                .collect(),
        })
    }
}

fn list<'a>(said: &'a Value, name: &str) -> &'a [Value] {
    said.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loom_is_never_among_the_features() {
        let workspace = Workspace::parse(
            r#"{"workspace_root":"/w","target_directory":"/t","packages":[
                {"name":"a","id":"path+file:///w/a#0.1.0","features":{"default":[],"loom":[],"openapi":[]},
                 "targets":[{"name":"a","kind":["lib"]},{"name":"loom","kind":["test"]}]},
                {"name":"b","id":"path+file:///w/b#0.1.0","features":{"x":[]},"targets":[]}]}"#,
        )
        .unwrap();
        assert_eq!(workspace.features(None), ["a/openapi", "b/x"]);
        assert_eq!(workspace.features(Some("b")), ["b/x"]);
        assert_eq!(workspace.modelled().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["a"]);
    }
}
