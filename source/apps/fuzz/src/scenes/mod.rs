//! What random calls hardly ever come to, played on purpose: each scene belongs to a flavour of child.
//!
//! A scene may fail halfway, at whatever the dice did before it; the judge on the host sees if a pair was never met.

mod answers;
mod bare;
mod crowd;
mod devices;
mod full;
mod inherited;
mod revoking;

use nexus_abi::syscall::{Derive, EndpointCreate, MemoryCreate, MemoryGrow};
use nexus_abi::{Error, Handle, Rights};

use crate::child::Flavour;
use crate::fuzzer::Fuzzer;

/// A scene.
type Scene = fn(&mut Fuzzer) -> Result<(), Error>;

/// Plays what belongs to a flavour.
pub(crate) fn play(flavour: Flavour, fuzzer: &mut Fuzzer) {
    let scenes: &[Scene] = match flavour {
        Flavour::Plain => &[],
        Flavour::Devices => &[devices::play],
        Flavour::Raiser => &[crowd::play],
        Flavour::Neighbour => &[inherited::play],
        Flavour::Revoking => &[bare::play, revoking::play],
        Flavour::Full => &[full::play, answers::play],
    };
    for scene in scenes {
        // See above.
        let _ = scene(fuzzer);
    }
}

/// A memory object with these pages.
fn memory(fuzzer: &mut Fuzzer, pages: u64) -> Result<Handle, Error> {
    let memory = fuzzer.ask(MemoryCreate { process: None, pages })?.memory;
    fuzzer.ask(MemoryGrow { memory, pages })?;
    Ok(memory)
}

/// An endpoint.
fn endpoint(fuzzer: &mut Fuzzer, queue: u16) -> Result<Handle, Error> {
    Ok(fuzzer.ask(EndpointCreate { process: None, queue })?.endpoint)
}

/// The same handle without any right.
fn bare(fuzzer: &mut Fuzzer, source: Handle) -> Result<Handle, Error> {
    Ok(fuzzer.ask(Derive { source, rights: Rights::NONE, badge: 0 })?.handle)
}
