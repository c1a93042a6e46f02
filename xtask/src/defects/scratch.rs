//! The copies of the tree in which defects are tried.
//!
//! The tree is read once, so that whoever goes on working in it disturbs no run. Only what differs is written, so that a
//! build after the next patch compiles what that patch and the last one touched.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The tracked files of the tree as they were at the start.
pub(crate) struct Snapshot {
    files: BTreeMap<PathBuf, (Vec<u8>, Permissions)>,
}

impl Snapshot {
    /// Reads the tree at `root`.
    pub(crate) fn of(root: &Path) -> io::Result<Snapshot> {
        let mut list = Command::new("git");
        list.args(["ls-files", "-z"]).current_dir(root);
        let text = crate::packages::output(&mut list).map_err(io::Error::other)?;
        let names = text.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
        let mut files = BTreeMap::new();
        // Cargo reads the settings of every folder above: with a copy of them each flag for the linker would come twice.
        for name in names.filter(|name| root.join(name).is_file() && !name.starts_with(".cargo")) {
            let path = root.join(&name);
            files.insert(name, (fs::read(&path)?, fs::metadata(&path)?.permissions()));
        }
        Ok(Snapshot { files })
    }

    /// Name and bytes of each file, by name.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.files.iter().map(|(name, (bytes, _))| (name.as_path(), bytes.as_slice()))
    }
}

/// One copy.
pub(crate) struct Scratch<'a> {
    source: &'a Snapshot,
    /// The copy.
    pub(crate) tree: PathBuf,
}

impl Scratch<'_> {
    /// Copies the tree; a copy of an earlier run is brought up to date.
    pub(crate) fn copy_of(source: &Snapshot, tree: PathBuf) -> io::Result<Scratch<'_>> {
        let scratch = Scratch { source, tree };
        scratch.restore()?;
        Ok(scratch)
    }

    /// Makes the copy equal to the tree again.
    pub(super) fn restore(&self) -> io::Result<()> {
        fs::create_dir_all(&self.tree)?;
        self.remove_strangers(Path::new(""))?;
        for (file, (bytes, permissions)) in &self.source.files {
            let to = self.tree.join(file);
            if fs::read(&to).ok().as_ref() != Some(bytes) {
                fs::create_dir_all(to.parent().expect("a file of the tree lies in it"))?;
                fs::write(&to, bytes)?;
                fs::set_permissions(&to, permissions.clone())?;
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
            } else if !self.source.files.contains_key(&path) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}
