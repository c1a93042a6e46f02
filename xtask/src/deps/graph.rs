//! The crates of the workspace: what each is, and with which features it is built for the target.
//!
//! `cargo metadata` knows licences and sources; only `cargo tree` resolves features the way a build for the target does.

use crate::packages::list;
use serde_json::Value;
use std::collections::BTreeMap;

/// Name and version, which order crates in reports.
pub(super) type Key = (String, String);

/// One crate.
pub(super) struct Crate {
    /// The licence expression of its manifest.
    pub(super) licence: Option<String>,
    /// Whether it is a member of the workspace.
    pub(super) is_member: bool,
    /// What the target builds of it, if it builds it.
    pub(super) on_target: Option<OnTarget>,
}

/// What the target builds of a crate.
pub(super) struct OnTarget {
    /// The features that are on.
    pub(super) features: Vec<String>,
    /// The text of the root of its library, if it has one.
    pub(super) library: Option<String>,
}

/// Every crate that is compiled for something.
pub(super) struct Graph {
    pub(super) crates: BTreeMap<Key, Crate>,
}

impl Graph {
    /// Joins metadata with the lines of `cargo tree` (`name vVERSION …|feature,feature`); `read` gives a library's root.
    pub(super) fn new(
        metadata: &Value,
        built: &str,
        read: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Self, String> {
        let features = built_features(built)?;
        let mut crates = BTreeMap::new();
        for package in list(&metadata["packages"]) {
            let key = (text(package, "name")?.to_string(), text(package, "version")?.to_string());
            let on_target = match features.get(&key) {
                Some(features) => {
                    let library = library_root(package).map(&read).transpose()?;
                    Some(OnTarget { features: features.clone(), library })
                }
                None => None,
            };
            let licence = package["license"].as_str().map(ToString::to_string);
            crates.insert(key, Crate { licence, is_member: package["source"].is_null(), on_target });
        }
        match features.keys().find(|key| !crates.contains_key(*key)) {
            Some((name, version)) => Err(format!("{name} {version} is built but cargo metadata does not know it")),
            None if features.is_empty() => Err("nothing is built for the target".to_string()),
            None => Ok(Self { crates }),
        }
    }

    /// How many crates there are, and how many of them the target builds.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.crates.len(), self.on_target().count())
    }

    /// The crates that the target builds.
    pub(super) fn on_target(&self) -> impl Iterator<Item = (&Key, &Crate, &OnTarget)> {
        self.crates.iter().filter_map(|(key, krate)| krate.on_target.as_ref().map(|built| (key, krate, built)))
    }
}

fn built_features(built: &str) -> Result<BTreeMap<Key, Vec<String>>, String> {
    let mut all = BTreeMap::new();
    for line in built.lines().filter(|line| !line.trim().is_empty()) {
        let broken = || format!("cargo tree prints a line that is not understood: {line}");
        let (package, features) = line.split_once('|').ok_or_else(broken)?;
        let mut words = package.split_whitespace();
        let name = words.next().ok_or_else(broken)?;
        let version = words.next().and_then(|word| word.strip_prefix('v')).ok_or_else(broken)?;
        let features = features.trim_end_matches(" (*)").split(',').filter(|feature| !feature.is_empty());
        all.insert((name.to_string(), version.to_string()), features.map(ToString::to_string).collect());
    }
    Ok(all)
}

/// Where the library of a package starts, if it has one.
fn library_root(package: &Value) -> Option<&str> {
    let is_library = |target: &&Value| {
        list(&target["kind"]).iter().any(|kind| matches!(kind.as_str(), Some("lib" | "rlib" | "staticlib")))
    };
    list(&package["targets"]).iter().find(is_library).and_then(|target| target["src_path"].as_str())
}

fn text<'value>(package: &'value Value, field: &str) -> Result<&'value str, String> {
    package[field].as_str().ok_or_else(|| format!("cargo metadata: a package without `{field}`"))
}
