//! `cargo xtask doctor`: what this machine has, what it lacks, and the command that mends it.
//!
//! Every fact is read from the tool itself, never from a stamp; what is optional is said to be so and does not fail.

use crate::packages::{KERNEL_TARGET, PROGRAM_TARGET};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

#[cfg(test)]
#[path = "doctor_tests.rs"]
mod tests;

/// The oldest emulator that boots the system.
const QEMU: &str = "7.2";

/// Who misses a thing that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Everyone,
    /// Some commands only; the text says which.
    Some(&'static str),
}

/// One thing to look for.
struct Thing {
    name: &'static str,
    need: Need,
    /// Its version, or why it does not count as present.
    look: fn() -> Result<String, String>,
    /// The command that mends its absence.
    mend: &'static str,
}

#[rustfmt::skip]
const THINGS: &[Thing] = &[
    Thing { name: "rustc", need: Need::Everyone, look: rustc, mend: "rustup update stable" },
    Thing { name: "clippy", need: Need::Everyone, look: || version("cargo", &["clippy", "--version"]), mend: "rustup component add clippy" },
    Thing { name: "rustfmt", need: Need::Everyone, look: || version("cargo", &["fmt", "--version"]), mend: "rustup component add rustfmt" },
    Thing { name: KERNEL_TARGET, need: Need::Everyone, look: || target(KERNEL_TARGET), mend: "rustup target add riscv64imac-unknown-none-elf" },
    Thing { name: PROGRAM_TARGET, need: Need::Everyone, look: || target(PROGRAM_TARGET), mend: "rustup target add riscv64gc-unknown-none-elf" },
    Thing { name: "C linker", need: Need::Everyone, look: || version("cc", &["--version"]), mend: "make setup" },
    Thing { name: "qemu", need: Need::Everyone, look: qemu, mend: "make setup" },
    Thing { name: "just", need: Need::Some("only a shorter way to type make"), look: || version("just", &["--version"]), mend: "pip install rust-just" },
    Thing { name: "gdb", need: Need::Some("for cargo xtask gdb"), look: || version("gdb-multiarch", &["--version"]), mend: "apt-get install gdb-multiarch" },
    Thing { name: "C for riscv64", need: Need::Some("for cargo xtask bench --wall --linux"), look: || version("riscv64-linux-gnu-gcc", &["--version"]), mend: "apt-get install gcc-riscv64-linux-gnu libc6-dev-riscv64-cross" },
    Thing { name: "shellcheck", need: Need::Some("for the suite `scripts`"), look: shellcheck, mend: "apt-get install shellcheck" },
];

/// Looks at everything and prints a line for each.
pub fn run(args: &[String]) -> ExitCode {
    if !args.is_empty() {
        eprintln!("usage: cargo xtask doctor");
        return ExitCode::from(2);
    }
    let (lines, missing) = examine(THINGS);
    for line in lines {
        println!("{line}");
    }
    if missing == 0 {
        println!("doctor: everything needed is here");
        ExitCode::SUCCESS
    } else {
        println!("doctor: {missing} needed and missing; `make setup` installs all of it");
        ExitCode::FAILURE
    }
}

/// A line for each thing, and how many of those that everyone needs are missing.
fn examine(things: &[Thing]) -> (Vec<String>, usize) {
    let mut missing = 0;
    let lines = things
        .iter()
        .map(|thing| match ((thing.look)(), thing.need) {
            (Ok(version), _) => format!("ok       {:<28} {version}", thing.name),
            (Err(why), Need::Everyone) => {
                missing += 1;
                format!("MISSING  {:<28} {why}; mend with: {}", thing.name, thing.mend)
            }
            (Err(why), Need::Some(what)) => {
                format!("optional {:<28} {why}, {what}; mend with: {}", thing.name, thing.mend)
            }
        })
        .collect();
    (lines, missing)
}

/// The first line that a tool prints about itself.
fn version(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).output().map_err(|_| "not found".to_string())?;
    if !output.status.success() {
        return Err(format!("`{program} {}` fails", arguments.join(" ")));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().trim().to_string())
}

fn rustc() -> Result<String, String> {
    let line = version("rustc", &["--version"])?;
    at_least(line.split(' ').nth(1).unwrap_or_default(), env!("CARGO_PKG_RUST_VERSION")).map(|()| line)
}

/// The version of the emulator, if it is new enough.
pub fn qemu() -> Result<String, String> {
    let line = version("qemu-system-riscv64", &["--version"])?;
    let number = line.split(' ').skip_while(|word| *word != "version").nth(1).unwrap_or_default();
    at_least(number, QEMU).map(|()| line)
}

/// The version of shellcheck.
pub fn shellcheck() -> Result<String, String> {
    version("shellcheck", &["--version"])
}

/// The version of `cargo fuzz`, and a nightly compiler for it.
pub fn cargo_fuzz() -> Result<String, String> {
    let found = version("cargo-fuzz", &["--version"])?;
    version("cargo", &["+nightly", "--version"]).map_err(|_| "no nightly compiler".to_string()).map(|_| found)
}

/// Whether the compiler has the core library of a target.
pub fn target(name: &str) -> Result<String, String> {
    let folder = sysroot()?.join("lib/rustlib").join(name).join("lib");
    let files = fs::read_dir(&folder).map_err(|_| "not installed".to_string())?;
    let is_core = |name: &str| name.starts_with("libcore-") && name.ends_with(".rlib");
    let found = files.flatten().any(|file| file.file_name().to_str().is_some_and(is_core));
    if found { Ok("installed".to_string()) } else { Err(format!("no core library in {}", folder.display())) }
}

/// Where cargo takes the standard library from: the compiler's own, or what `make setup FALLBACK=1` built.
fn sysroot() -> Result<PathBuf, String> {
    let root = crate::root();
    if root.join("build/fallback.toml").exists() {
        return Ok(root.join("build/sysroot"));
    }
    version("rustc", &["--print", "sysroot"]).map(PathBuf::from)
}

/// Compares versions number by number.
fn at_least(version: &str, least: &str) -> Result<(), String> {
    let numbers = |text: &str| -> Vec<u32> {
        let leading = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
        text.split('.').map_while(|part| leading(part).parse().ok()).collect()
    };
    if numbers(version) >= numbers(least) { Ok(()) } else { Err(format!("version `{version}` is older than {least}")) }
}
