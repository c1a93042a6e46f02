//! What one run owns: the lock that keeps runs sequential, and its own copy of a disk.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Held while a run lasts; the next run waits for it.
pub struct RunLock {
    /// The lock goes with the open file.
    _file: File,
}

impl RunLock {
    /// Waits until no other run of this tree is under way.
    pub fn take(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root.join("build"))?;
        let file = File::create(root.join("build/proof.lock"))?;
        file.lock()?;
        Ok(RunLock { _file: file })
    }
}

/// A disk image of one run, removed with it.
pub struct ScratchDisk {
    path: PathBuf,
}

impl ScratchDisk {
    /// Copies `base`, so that no run sees what another wrote.
    pub fn copy_of(root: &Path, base: &Path) -> io::Result<Self> {
        let path = root.join(format!("build/scratch-{}.img", std::process::id()));
        fs::copy(base, &path)?;
        Ok(ScratchDisk { path })
    }

    /// Where the copy lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchDisk {
    fn drop(&mut self) {
        // Nobody reads the copy any more; a file that is already gone is as good.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("nexus-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("build")).unwrap();
        path
    }

    #[test]
    fn a_scratch_disk_keeps_the_base_as_it_was_and_leaves_nothing() {
        let root = folder("scratch");
        let base = root.join("base.img");
        fs::write(&base, b"base").unwrap();
        let disk = ScratchDisk::copy_of(&root, &base).unwrap();
        fs::write(disk.path(), b"changed").unwrap();
        let path = disk.path().to_path_buf();
        drop(disk);
        assert_eq!((fs::read(&base).unwrap(), path.exists()), (b"base".to_vec(), false));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_second_run_waits_for_the_first() {
        let root = folder("lock");
        let first = RunLock::take(&root).unwrap();
        let (sender, receiver) = channel();
        let other = root.clone();
        let second = std::thread::spawn(move || {
            let lock = RunLock::take(&other).unwrap();
            sender.send(()).unwrap();
            drop(lock);
        });
        assert!(receiver.recv_timeout(Duration::from_millis(100)).is_err());
        drop(first);
        receiver.recv_timeout(Duration::from_secs(5)).unwrap();
        second.join().unwrap();
        fs::remove_dir_all(root).unwrap();
    }
}
