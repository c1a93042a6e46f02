//! How far a long run has come, so that it can be made in parts.

use std::fs;
use std::path::PathBuf;

/// Calls made so far with a seed, and the child that comes next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) seed: u64,
    pub(super) calls: u64,
    pub(super) next: u64,
}

impl Progress {
    fn path() -> PathBuf {
        crate::root().join("target/fuzz/progress")
    }

    /// What the last run of this seed left, or nothing.
    pub(super) fn load(seed: u64) -> Result<Progress, String> {
        let fresh = Progress { seed, ..Progress::default() };
        let Ok(text) = fs::read_to_string(Self::path()) else { return Ok(fresh) };
        let found = Self::parse(&text).ok_or_else(|| format!("{} is no progress", Self::path().display()))?;
        Ok(if found.seed == seed { found } else { fresh })
    }

    /// `seed calls next`.
    pub(super) fn parse(text: &str) -> Option<Progress> {
        let mut numbers = text.split_whitespace().map(|word| word.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Progress { seed: next()?, calls: next()?, next: next()? })
    }

    /// The text that [`Progress::parse`] reads.
    pub(super) fn text(&self) -> String {
        format!("{} {} {}\n", self.seed, self.calls, self.next)
    }

    /// Writes it down.
    pub(super) fn save(&self) -> Result<(), String> {
        let path = Self::path();
        let folder = path.parent().expect("the file lies in a folder");
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, self.text())).map_err(|error| error.to_string())
    }

    /// The run is through: the next one starts anew.
    pub(super) fn forget(&self) -> Result<(), String> {
        fs::remove_file(Self::path()).map_err(|error| error.to_string())
    }
}
