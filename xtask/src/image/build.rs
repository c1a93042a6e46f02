//! The compiler's part: programs for the full instruction set, the kernel without floating point.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::assemble::{File, ImageError};

const PROGRAMS: &str = "riscv64gc-unknown-none-elf";
const KERNEL_TARGET: &str = "riscv64imac-unknown-none-elf";
const KERNEL_CRATE: &str = "nexus-kernel";
/// Small rather than fast: every byte of a program is hashed before it runs.
const PROGRAM_PROFILE: &str = "program";

/// Which kernel is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// The one that ships.
    Shipped,
    /// One that looks at its own invariants when a program asks: for tests.
    Checked,
}

impl Kernel {
    /// The profile that it is built with, which tells the two apart below `target`.
    fn profile(self) -> &'static str {
        match self {
            Kernel::Shipped => "release",
            Kernel::Checked => "checked",
        }
    }

    /// What its file is called.
    fn file(self) -> &'static str {
        match self {
            Kernel::Shipped => "kernel",
            Kernel::Checked => "kernel-checked",
        }
    }
}

/// Builds the crates of the system.
pub(super) fn programs(root: &Path, crates: &[String]) -> Result<(), ImageError> {
    let packages: Vec<&str> = crates.iter().flat_map(|name| ["--package", name.as_str()]).collect();
    cargo(root, (PROGRAMS, PROGRAM_PROFILE), &packages, "a program")
}

/// Builds a kernel.
pub(super) fn kernel(root: &Path, kernel: Kernel) -> Result<(), ImageError> {
    let features: &[&str] = match kernel {
        Kernel::Shipped => &[],
        Kernel::Checked => &["--features", "checked"],
    };
    let package = [&["--package", KERNEL_CRATE], features].concat();
    cargo(root, (KERNEL_TARGET, kernel.profile()), &package, "the kernel")
}

/// Reads the executable of a crate.
pub(crate) fn program(root: &Path, name: &str) -> Result<File, ImageError> {
    let path = target(root).join(PROGRAMS).join(PROGRAM_PROFILE).join(name);
    let elf = std::fs::read(&path).map_err(|error| ImageError::file(&path, &error))?;
    Ok(File { name: name.to_owned(), elf })
}

/// Puts a kernel's ELF file beside the image.
pub(super) fn copy_kernel(root: &Path, kernel: Kernel, folder: &Path) -> Result<PathBuf, ImageError> {
    let built = target(root).join(KERNEL_TARGET).join(kernel.profile());
    let (from, to) = (built.join(KERNEL_CRATE), folder.join(kernel.file()));
    std::fs::copy(&from, &to).map_err(|error| ImageError::file(&from, &error))?;
    Ok(to)
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

fn cargo(root: &Path, (target, profile): (&str, &str), packages: &[&str], what: &str) -> Result<(), ImageError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--quiet", "--locked", "--profile", profile, "--target", target])
        .args(packages)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(ImageError::Build(what.to_owned())),
    }
}
