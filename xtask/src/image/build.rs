//! The compiler's part: programs for the full instruction set, the kernel without floating point.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::assemble::{File, ImageError};

const PROGRAMS: &str = "riscv64gc-unknown-none-elf";
const KERNEL: &str = "riscv64imac-unknown-none-elf";
const KERNEL_CRATE: &str = "nexus-kernel";
/// Small rather than fast: every byte of a program is hashed before it runs.
const PROGRAM_PROFILE: &str = "program";
const KERNEL_PROFILE: &str = "release";

/// Builds the crates of the system.
pub(super) fn programs(root: &Path, crates: &[String]) -> Result<(), ImageError> {
    let packages: Vec<&str> = crates.iter().flat_map(|name| ["--package", name.as_str()]).collect();
    cargo(root, (PROGRAMS, PROGRAM_PROFILE), &packages, "a program")
}

/// Builds the kernel.
pub(super) fn kernel(root: &Path) -> Result<(), ImageError> {
    cargo(root, (KERNEL, KERNEL_PROFILE), &["--package", KERNEL_CRATE], "the kernel")
}

/// Reads the executable of a crate.
pub(crate) fn program(root: &Path, name: &str) -> Result<File, ImageError> {
    let path = target(root).join(PROGRAMS).join(PROGRAM_PROFILE).join(name);
    let elf = std::fs::read(&path).map_err(|error| ImageError::file(&path, &error))?;
    Ok(File { name: name.to_owned(), elf })
}

/// Puts the kernel's ELF file beside the image.
pub(super) fn copy_kernel(root: &Path, folder: &Path) -> Result<PathBuf, ImageError> {
    let (from, to) = (target(root).join(KERNEL).join(KERNEL_PROFILE).join(KERNEL_CRATE), folder.join("kernel"));
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
