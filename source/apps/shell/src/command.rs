//! The table of commands, and what each gets to work with.

use crate::commands::{explain, listings, log, machine, programs, qos, top};
use crate::{Failure, Form, Place, System};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// What a command works with.
pub struct Context<'a> {
    /// The words after the command's name; of a pipe those of its first stage.
    pub words: &'a [String],
    /// All stages of the line.
    pub stages: &'a [Vec<String>],
    /// Where programs run.
    pub place: Place,
    /// The name of the last failure; none after a success.
    pub last: Option<&'static str>,
    /// The machine.
    pub system: &'a mut dyn System,
    /// The terminal.
    pub out: &'a mut dyn Write,
}

impl<'a> Context<'a> {
    /// Prints text; a terminal that is gone is no failure of the command.
    pub fn print(&mut self, text: &str) {
        let _ = self.out.write_str(text);
    }

    /// No words at all.
    pub fn no_words(&self) -> Result<(), Failure> {
        match self.words {
            [] => Ok(()),
            _ => Err(Failure::invalid("it takes no arguments")),
        }
    }

    /// Takes `-j` off the words, wherever it stands.
    pub fn form(&self) -> (Form, Vec<&'a str>) {
        let rest: Vec<&'a str> = self.words.iter().map(String::as_str).filter(|word| *word != "-j").collect();
        let form = if rest.len() < self.words.len() { Form::JsonLines } else { Form::Columns };
        (form, rest)
    }
}

/// Whether more than one stage or `&` makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Runs in the shell itself.
    Builtin,
    /// Starts programs.
    Launcher,
}

/// One command.
pub struct Command {
    /// What is typed.
    pub name: &'static str,
    /// Its arguments.
    pub usage: &'static str,
    /// One line for `help`.
    pub about: &'static str,
    /// What it may be combined with.
    pub kind: Kind,
    /// Does it.
    pub run: fn(&mut Context<'_>) -> Result<(), Failure>,
}

use Kind::{Builtin, Launcher};

/// All commands.
#[rustfmt::skip]
pub const COMMANDS: &[Command] = &[
    Command { name: "help", usage: "[command]", about: "what can be typed here", kind: Builtin, run: machine::help },
    Command { name: "ps", usage: "[-j]", about: "processes, and how ended ones ended", kind: Builtin, run: listings::ps },
    Command { name: "top", usage: "[-n N] [-j]", about: "who used the CPUs in the last second", kind: Builtin, run: top::top },
    Command { name: "cpus", usage: "[-j]", about: "CPUs and their counters", kind: Builtin, run: listings::cpus },
    Command { name: "mem", usage: "[-j]", about: "what is used of every bounded resource", kind: Builtin, run: listings::mem },
    Command { name: "services", usage: "[-j]", about: "services, and how often each was started", kind: Builtin, run: listings::services },
    Command { name: "caps", usage: "<pid|service> [-j]", about: "what a process holds", kind: Builtin, run: listings::caps },
    Command { name: "explain", usage: "<service|program> <interface>", about: "which rule allows or denies it", kind: Builtin, run: explain::explain },
    Command { name: "run", usage: "<program> [args…] [| program…] [&]", about: "start a program", kind: Launcher, run: programs::run },
    Command { name: "kill", usage: "<pid|service>", about: "end a program or a service", kind: Builtin, run: programs::kill },
    Command { name: "wait", usage: "<pid>", about: "wait for a program and say how it ended", kind: Builtin, run: programs::wait },
    Command { name: "log", usage: "[-f] [-n N] [-s service] [-l level] [-j]", about: "what programs recorded; -f: and what they record", kind: Builtin, run: log::log },
    Command { name: "qos", usage: "<pid> [class] [shares=N] [cpus=N,N] [budget=US/US]", about: "set the class of a program, or what it may use of the CPUs", kind: Builtin, run: qos::qos },
    Command { name: "timers", usage: "[-j]", about: "timers by class: what they cost and how late they were", kind: Builtin, run: listings::timers },
    Command { name: "selftest", usage: "", about: "run the proof program", kind: Builtin, run: programs::selftest },
    Command { name: "bench", usage: "", about: "what system calls and messages take here", kind: Builtin, run: programs::bench },
    Command { name: "uptime", usage: "", about: "time since the start", kind: Builtin, run: machine::uptime },
    Command { name: "status", usage: "", about: "the name of the last error, or 0", kind: Builtin, run: machine::status },
    Command { name: "reboot", usage: "", about: "start the machine again", kind: Builtin, run: machine::reboot },
    Command { name: "shutdown", usage: "[code]", about: "stop the machine", kind: Builtin, run: machine::shutdown },
];

/// The command with this name.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}
