//! Programs: they run, they end, and not everybody may start them.

use crate::{Failure, capture::Capture};
use nexus_abi::{ProcessId, ServiceId, syscall::Close};
use nexus_proto::{contract, exec};
use nexus_rt::{Channel, kernel::invoke};

/// The sample that greets.
const SAMPLE: &str = "hello";
/// A program that runs until it is killed.
const ENDLESS: &str = "rogue";

fn channel() -> Result<Channel, Failure> {
    Channel::to("exec").map_err(|error| Failure::Refused("a route to exec", error))
}

pub(crate) fn client() -> Result<exec::Client<Channel>, Failure> {
    channel().map(exec::Client::new)
}

/// Starts a program that writes into `capture`.
pub(crate) fn start(program: &str, arguments: &[&str], capture: &Capture) -> Result<ProcessId, Failure> {
    let stdout = capture.handle().map_err(|error| Failure::Refused("a handle for the program", error))?;
    let arguments = exec::pack(arguments.iter().copied()).map_err(|error| Failure::Refused("packing", error))?;
    let started = client()?.start(program, &arguments, None, Some(stdout), None);
    // The program has its copy; while this one stands, the endpoint does.
    invoke(Close { handle: stdout }).map_err(|error| Failure::Refused("close", error))?;
    started.map(|started| started.process).map_err(|error| Failure::Refused("start", error))
}

/// Ends a program and takes its record away.
pub(crate) fn end(process: ProcessId) -> Result<(), Failure> {
    let mut programs = client()?;
    programs.kill(process, 0).map_err(|error| Failure::Refused("kill", error))?;
    programs.wait(process).map(drop).map_err(|error| Failure::Refused("wait", error))
}

/// Runs the sample with an argument; what it wrote, the kernel's record of it, and how it ended.
pub(crate) fn run_sample(argument: &str) -> Result<(Capture, ProcessId, exec::Fate), Failure> {
    let greeting = alloc::format!("hello, {argument}\n");
    let mut capture = Capture::open().map_err(|error| Failure::Refused("an endpoint", error))?;
    let process = start(SAMPLE, &[argument], &capture)?;
    capture.collect(greeting.len()).map_err(|error| Failure::Refused("its output", error))?;
    let fate = client()?.wait(process).and_then(|ended| ended.fate());
    let fate = fate.map_err(|error| Failure::Refused("wait", error))?;
    if capture.bytes != greeting.as_bytes() {
        return Err(Failure::Wrong("the program writes what its arguments say"));
    }
    Ok((capture, process, fate))
}

/// An ELF file is loaded, runs as its own process and writes to the stream it was given.
pub(crate) fn program_runs() -> Result<(), Failure> {
    let (capture, process, _) = run_sample("ladder")?;
    let writer = capture.writer.ok_or(Failure::Wrong("the kernel names the writer"))?;
    if writer.process != process {
        return Err(Failure::Wrong("the writer is the process that was started"));
    }
    Ok(())
}

/// The exit status of a program reaches whoever waits for it, and the record is gone then.
pub(crate) fn exit_status_arrives() -> Result<(), Failure> {
    let (_, process, fate) = run_sample("status")?;
    if fate != exec::Fate::Exited(0) {
        return Err(Failure::Wrong("the program ends with status 0"));
    }
    if client()?.wait(process).err() != Some(nexus_abi::Error::NotFound) {
        return Err(Failure::Wrong("a record is waited for once"));
    }
    contract::exec(channel()?, SAMPLE)?;
    Ok(())
}

/// A caller without the manifest's permission starts nothing.
pub(crate) fn stranger_is_refused() -> Result<(), Failure> {
    let powerless = Channel::to("exec-denied").map_err(|error| Failure::Refused("the powerless route", error))?;
    contract::exec_denied(powerless, SAMPLE, ProcessId(1 << 32 | 1))?;
    Ok(())
}

/// Killing does what its contract says.
pub(crate) fn kill_keeps_its_contract() -> Result<(), Failure> {
    contract::exec_kill(channel()?, ENDLESS)?;
    Ok(())
}

/// The list of services does what its contract says, and a reader changes nothing.
pub(crate) fn supervisor_keeps_its_contract() -> Result<(), Failure> {
    let supervisor = Channel::to("supervisor").map_err(|error| Failure::Refused("a route to init", error))?;
    contract::supervisor(supervisor)?;
    contract::supervisor_denied(supervisor, "execd")?;
    Ok(())
}

/// The identity that the kernel must stamp on the sample.
pub(crate) const SAMPLE_ID: ServiceId = ServiceId::program("app/boot/hello");
