//! Boots the system for a person: `run` at the terminal, `gdb` under the debugger.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Where the debugger meets the emulator.
const GDB_PORT: &str = "1234";

/// Builds everything and boots it at this terminal; options by environment as `scripts/run-qemu-rv64.sh` takes them.
pub fn run(args: &[String]) -> ExitCode {
    if !args.is_empty() {
        eprintln!("usage: cargo xtask run    (SMP, MEM, DISK, APPEND by environment)");
        return ExitCode::from(2);
    }
    let root = crate::root();
    if let Err(text) = build() {
        eprintln!("run: {text}");
        return ExitCode::FAILURE;
    }
    if let Some(disk) = std::env::var_os("DISK")
        && let Err(error) = make_disk(Path::new(&disk))
    {
        eprintln!("run: {}: {error}", Path::new(&disk).display());
        return ExitCode::FAILURE;
    }
    match Command::new(root.join("scripts/run-qemu-rv64.sh")).status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Boots halted, and attaches the debugger with the kernel's symbols.
pub fn gdb(args: &[String]) -> ExitCode {
    let root = crate::root();
    if let Err(text) = build() {
        eprintln!("gdb: {text}");
        return ExitCode::FAILURE;
    }
    let port = args.first().map_or(GDB_PORT, String::as_str);
    // The debugger owns the terminal; the console goes to a file beside the image.
    let console = match std::fs::File::create(root.join("build/gdb-console.log")) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("gdb: build/gdb-console.log: {error}");
            return ExitCode::FAILURE;
        }
    };
    let emulator = Command::new(root.join("scripts/run-qemu-rv64.sh"))
        .env("GDB", port)
        .env("CONSOLE", "raw")
        .stdin(Stdio::null())
        .stdout(console)
        .spawn();
    let Ok(mut emulator) = emulator else {
        eprintln!("gdb: the emulator did not start");
        return ExitCode::FAILURE;
    };
    println!("console: build/gdb-console.log");
    let debugger = Command::new("gdb-multiarch")
        .arg("-q")
        .arg(root.join("build/kernel"))
        .args(["-ex", &format!("target remote 127.0.0.1:{port}")])
        .status();
    // The emulator is ours and may have ended already.
    let _ = emulator.kill();
    let _ = emulator.wait();
    match debugger {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("gdb: gdb-multiarch: {error}; `cargo xtask doctor` says what to install");
            ExitCode::FAILURE
        }
    }
}

/// Makes `build/kernel` and `build/boot.img`.
pub fn build() -> Result<(), String> {
    crate::image::make(&crate::root()).map(drop).map_err(|error| error.to_string())
}

/// The same and `build/kernel-checked`, whose path it returns.
pub fn build_both() -> Result<PathBuf, String> {
    build()?;
    crate::image::checked_kernel(&crate::root()).map_err(|error| error.to_string())
}

/// Makes an empty disk on first use; it takes space only as it fills.
fn make_disk(path: &Path) -> std::io::Result<()> {
    const DISK_BYTES: u64 = 64 * 1024 * 1024;
    match std::fs::File::create_new(path) {
        Ok(file) => file.set_len(DISK_BYTES),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
