//! The packages of the workspace and where each of them runs.
//!
//! The folder decides, so that a new program is judged and built without being listed anywhere.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The kernel's target: no floating point.
pub const KERNEL_TARGET: &str = "riscv64imac-unknown-none-elf";
/// The target of every program.
pub const PROGRAM_TARGET: &str = "riscv64gc-unknown-none-elf";

/// Where a package runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Only in the kernel.
    Kernel,
    /// In the kernel and in programs.
    Shared,
    /// Only in programs.
    Program,
    /// Only on the host.
    Host,
}

/// Where the package in this folder runs; the folder is relative to the root of the tree.
pub fn side(folder: &str) -> Side {
    match folder.split('/').collect::<Vec<_>>()[..] {
        ["source", "kernel", _] => Side::Kernel,
        ["source", "libs", _] => Side::Shared,
        ["source", "services" | "apps" | "drivers", _] | ["userspace", _] => Side::Program,
        _ => Side::Host,
    }
}

/// What `cargo metadata` says of the workspace at `root`.
pub fn metadata(root: &Path) -> Result<Value, String> {
    let mut command = cargo();
    command.current_dir(root).args(["metadata", "--format-version", "1", "--filter-platform", PROGRAM_TARGET]);
    let text = output(&mut command)?;
    serde_json::from_str(&text).map_err(|error| format!("cargo metadata prints no JSON: {error}"))
}

/// Names of the members that run where `wanted` says.
pub fn members(metadata: &Value, wanted: &[Side]) -> Vec<String> {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let ids: Vec<&str> = list(&metadata["workspace_members"]).iter().filter_map(Value::as_str).collect();
    list(&metadata["packages"])
        .iter()
        .filter(|package| package["id"].as_str().is_some_and(|id| ids.contains(&id)))
        .filter(|package| wanted.contains(&side(&folder(package, root))))
        .filter_map(|package| package["name"].as_str().map(ToString::to_string))
        .collect()
}

/// The cargo that runs this tool, else the one on the path.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command and gives what it prints, or its errors.
pub fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.output().map_err(|error| format!("{name} does not start: {error}"))?;
    if !done.status.success() {
        return Err(format!("{name}: {}\n{}", done.status, String::from_utf8_lossy(&done.stderr)));
    }
    String::from_utf8(done.stdout).map_err(|error| format!("{name} prints no UTF-8: {error}"))
}

/// The elements of an array, none if it is no array.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn folder(package: &Value, root: &str) -> String {
    let manifest = package["manifest_path"].as_str().unwrap_or_default();
    manifest.trim_start_matches(root).trim_start_matches('/').trim_end_matches("/Cargo.toml").to_string()
}
