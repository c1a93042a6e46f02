//! The command line of the host tool: one table row a subcommand.
//!
//! A row names the function that does the work; the modules behind it live in the library so that tests reach them.

use std::process::ExitCode;

/// One subcommand. `run` gets the arguments after the name; exit 0 = done, 1 = failed, 2 = wrong usage.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> ExitCode,
}

#[rustfmt::skip]
const COMMANDS: &[Command] = &[
    Command { name: "run", about: "build, make the boot image and boot it in the emulator", run: xtask::run::run },
    Command { name: "test", about: "run every suite and print the table", run: xtask::suites::run },
    Command { name: "proof", about: "judge one boot by the ladder of tests/boot", run: xtask::proof::main },
    Command { name: "check", about: "the gates over the source tree", run: xtask::check::run },
    Command { name: "bench", about: "the benchmark table", run: xtask::bench::run },
    Command { name: "coverage", about: "lines of the core, nexus-ipc and the loader that host tests run", run: xtask::coverage::run },
    Command { name: "fuzz", about: "random system calls on the target", run: xtask::fuzz::main },
    Command { name: "sim", about: "the core and the services in one process, seeded faults", run: xtask::sim::main },
    Command { name: "trace", about: "what ran when on which CPU, as a timeline", run: xtask::trace::main },
    Command { name: "limits", about: "docs/limits.md from the source", run: xtask::limits::run },
    Command { name: "image", about: "system.toml to the boot image", run: xtask::image::run },
    Command { name: "gdb", about: "boot halted and attach the debugger", run: xtask::run::gdb },
    Command { name: "new-app", about: "make a program from the template", run: xtask::new_app::run },
    Command { name: "doctor", about: "what this machine lacks, and the command that mends it", run: xtask::doctor::run },
    Command { name: "dep-gate", about: "forbidden crates, licences, duplicate majors of what runs on the target", run: xtask::deps::run },
    Command { name: "diag-os", about: "check and clippy of everything built for the target", run: xtask::diag_os::run },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = args.split_first() else {
        return usage();
    };
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(rest),
        None => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: cargo xtask <command> [arguments]\n");
    for command in COMMANDS {
        eprintln!("  {:<9} {}", command.name, command.about);
    }
    ExitCode::from(2)
}
