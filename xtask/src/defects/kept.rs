//! What earlier runs caught, so that a run that was stopped goes on where it was.
//!
//! A catch stands as long as nothing changes that it was made with: the patch, the files of the packages that its test is
//! built of, and every file that belongs to no package. Pages of text count for nothing. Only catches are kept: whatever
//! else came of a defect is tried again.

use super::patch::{Catcher, Patch};
use super::scratch::Snapshot;
use crate::packages::list;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The defects that were caught, each with what it was caught with.
pub(super) struct Kept {
    earlier: BTreeMap<String, (u64, Duration)>,
    file: File,
}

impl Kept {
    /// Reads what earlier runs left in `path`.
    pub(super) fn load(path: &Path) -> io::Result<Kept> {
        fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
        let text = fs::read_to_string(path).unwrap_or_default();
        let earlier = text.lines().filter_map(entry).collect();
        Ok(Kept { earlier, file: OpenOptions::new().create(true).append(true).open(path)? })
    }

    /// How long it took to catch this defect with just these files, if it was.
    pub(super) fn seconds(&self, patch: &Patch, key: u64) -> Option<Duration> {
        self.earlier.get(&patch.name).filter(|(with, _)| *with == key).map(|(_, seconds)| *seconds)
    }

    /// Keeps a catch.
    pub(super) fn keep(&mut self, patch: &Patch, key: u64, seconds: Duration) -> io::Result<()> {
        writeln!(self.file, "{key:016x} {} {}", seconds.as_millis(), patch.name)
    }
}

fn entry(line: &str) -> Option<(String, (u64, Duration))> {
    let mut words = line.split(' ');
    let key = u64::from_str_radix(words.next()?, 16).ok()?;
    let seconds = Duration::from_millis(words.next()?.parse().ok()?);
    Some((words.next()?.to_string(), (key, seconds)))
}

/// Which files a package is built of: its folder and the packages of the workspace that it needs, by its name.
pub(super) struct Packages(BTreeMap<String, (PathBuf, Vec<String>)>);

impl Packages {
    /// Reads what `cargo metadata` says.
    pub(super) fn of(metadata: &Value) -> Packages {
        let root = metadata["workspace_root"].as_str().unwrap_or_default();
        let local = list(&metadata["packages"]).iter().filter_map(|package| {
            let manifest = Path::new(package["manifest_path"].as_str()?);
            let folder = manifest.strip_prefix(root).ok()?.parent()?.to_path_buf();
            let needs = list(&package["dependencies"]).iter().filter(|need| need["path"].is_string());
            let needs = needs.filter_map(|need| Some(need["name"].as_str()?.to_string())).collect();
            Some((package["name"].as_str()?.to_string(), (folder, needs)))
        });
        Packages(local.collect())
    }

    /// What a catch of this patch hangs on.
    pub(super) fn key(&self, patch: &Patch, text: &[u8], tree: &Snapshot) -> u64 {
        let strange = self.folders_without(self.built_of(&patch.catcher));
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        for (name, bytes) in
            tree.files().filter(|(name, _)| counts(name) && !strange.iter().any(|of| name.starts_with(of)))
        {
            (name, bytes).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// The packages that a test is built of; all of them if it looks at the tree or runs on the machine.
    fn built_of<'a>(&'a self, catcher: &'a Catcher) -> BTreeSet<&'a str> {
        let all = || self.0.keys().map(String::as_str).collect();
        let Catcher::Test(target, _) = catcher else { return all() };
        let Some(package) = target.get(1).filter(|name| *name != "xtask" && self.0.contains_key(*name)) else {
            return all();
        };
        let (mut found, mut next) = (BTreeSet::new(), vec![package.as_str()]);
        while let Some(name) = next.pop() {
            if found.insert(name) {
                next.extend(self.0.get(name).iter().flat_map(|(_, needs)| needs).map(String::as_str));
            }
        }
        found
    }

    fn folders_without(&self, wanted: BTreeSet<&str>) -> Vec<&Path> {
        self.0
            .iter()
            .filter(|(name, _)| !wanted.contains(name.as_str()))
            .map(|(_, (folder, _))| folder.as_path())
            .collect()
    }
}

/// Whether a test can come out otherwise for a change of this file: patches count one by one.
fn counts(name: &Path) -> bool {
    let text = name.extension().is_some_and(|ending| ending == "md");
    !text && !["docs", "tasks", "tests/defects"].iter().any(|folder| name.starts_with(folder))
}
