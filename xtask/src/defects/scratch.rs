//! The copy of the tree in which defects are tried.
//!
//! Only what differs is written, so that a build after the next patch compiles what that patch and the last one touched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

/// `target/defects/tree`, with the tracked files of the tree as they are now.
pub(super) struct Scratch {
    source: PathBuf,
    /// The copy.
    pub(super) tree: PathBuf,
    files: BTreeSet<PathBuf>,
}

impl Scratch {
    /// Copies the tree; a copy of an earlier run is brought up to date.
    pub(super) fn copy_of(source: &Path, tree: &Path) -> io::Result<Scratch> {
        let mut list = Command::new("git");
        list.args(["ls-files", "-z"]).current_dir(source);
        let text = crate::packages::output(&mut list).map_err(io::Error::other)?;
        let files = text.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
        // Cargo reads the settings of every folder above: with a copy of them each flag for the linker would come twice.
        let files = files.filter(|file| source.join(file).is_file() && !file.starts_with(".cargo")).collect();
        let scratch = Scratch { source: source.to_path_buf(), tree: tree.to_path_buf(), files };
        scratch.restore()?;
        Ok(scratch)
    }

    /// Makes the copy equal to the tree again.
    pub(super) fn restore(&self) -> io::Result<()> {
        fs::create_dir_all(&self.tree)?;
        self.remove_strangers(Path::new(""))?;
        for file in &self.files {
            let (from, to) = (self.source.join(file), self.tree.join(file));
            if fs::read(&to).ok() != Some(fs::read(&from)?) {
                fs::create_dir_all(to.parent().expect("a file of the tree lies in it"))?;
                fs::copy(&from, &to)?;
            }
        }
        Ok(())
    }

    /// Applies a patch; false if it does not fit.
    pub(super) fn apply(&self, patch: &Path) -> io::Result<bool> {
        // Without the ceiling, git would find the repository above and skip every file that is not below this folder.
        let mut command = Command::new("git");
        command.arg("apply").arg(patch).current_dir(&self.tree).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("GIT_CEILING_DIRECTORIES", self.tree.parent().expect("the copy lies in a folder"));
        Ok(command.status()?.success())
    }

    fn remove_strangers(&self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(self.tree.join(folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.remove_strangers(&path)?;
            } else if !self.files.contains(&path) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}
