//! Building, running, and reading the counters.

use crate::root;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// How often each line ran, by file and line.
pub(super) type Counts = BTreeMap<PathBuf, BTreeMap<usize, u64>>;

/// Random events of the core's test: the counters make each of them ten times as long.
const EVENTS: &str = "20000";

/// The folder of the toolchain's own `llvm-cov`, or what to do to have it.
pub(super) fn tools() -> Result<PathBuf, String> {
    let rustc = |arguments: &[&str]| {
        let output = Command::new("rustc").args(arguments).output().map_err(|error| format!("rustc: {error}"))?;
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    };
    let version = rustc(&["-vV"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let folder = Path::new(rustc(&["--print", "sysroot"])?.trim()).join("lib/rustlib").join(host).join("bin");
    let missing = ["llvm-profdata", "llvm-cov"].into_iter().find(|tool| !folder.join(tool).exists());
    missing.map_or(Ok(folder), |tool| Err(format!("no {tool}; `rustup component add llvm-tools` installs it")))
}

/// Runs the tests of these packages and reads how often each line ran.
pub(super) fn lines(packages: &[&str]) -> Result<Counts, String> {
    let (tools, target) = (tools()?, root().join("target/coverage"));
    let raw = target.join("raw");
    // What an earlier run counted does not count.
    let _ = fs::remove_dir_all(&raw);
    fs::create_dir_all(&raw).map_err(|error| format!("{}: {error}", raw.display()))?;
    let tests = build(packages, &target)?;
    for test in &tests {
        let run = Command::new(test)
            .arg("--quiet")
            .current_dir(root())
            .env("LLVM_PROFILE_FILE", raw.join("%p-%m.profraw"))
            .env("NEXUS_EVENTS", EVENTS)
            .output()
            .map_err(|error| format!("{}: {error}", test.display()))?;
        if !run.status.success() {
            return Err(format!("{} fails:\n{}", test.display(), String::from_utf8_lossy(&run.stdout)));
        }
    }
    let merged = target.join("merged.profdata");
    let counters = fs::read_dir(&raw).map_err(|error| error.to_string())?.flatten().map(|entry| entry.path());
    tool(Command::new(tools.join("llvm-profdata")).args(["merge", "-sparse", "-o"]).arg(&merged).args(counters))?;
    let mut export = Command::new(tools.join("llvm-cov"));
    export.args(["export", "-format=lcov", "-instr-profile"]).arg(&merged);
    for (at, test) in tests.iter().enumerate() {
        if at > 0 {
            export.arg("-object");
        }
        export.arg(test);
    }
    Ok(read(&tool(&mut export)?))
}

/// Builds the tests with counters; where they are.
fn build(packages: &[&str], target: &Path) -> Result<Vec<PathBuf>, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--no-run", "--quiet", "--lib", "--tests", "--message-format=json", "--target-dir"]);
    command.arg(target).current_dir(root()).env("RUSTFLAGS", "-Cinstrument-coverage");
    // Build scripts have counters too.
    command.env("LLVM_PROFILE_FILE", target.join("build-%p.profraw"));
    packages.iter().for_each(|package| {
        command.args(["--package", package]);
    });
    let printed = tool(&mut command)?;
    let messages = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).collect())
}

fn tool(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?} fails:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads the records `SF:file` and `DA:line,count`.
pub(super) fn read(text: &str) -> Counts {
    let mut counts = Counts::new();
    let mut file = PathBuf::new();
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = PathBuf::from(path);
        } else if let Some((at, count)) = line.strip_prefix("DA:").and_then(|rest| rest.split_once(',')) {
            let count = count.split(',').next().unwrap_or_default();
            let pair = at.parse::<usize>().ok().zip(count.parse::<u64>().ok());
            counts.entry(file.clone()).or_default().extend(pair);
        }
    }
    counts
}
