//! Which part of the source an instruction of a straight message belongs to, by the kernel's debug information.

use crate::trace::points::{Inlined, inlined};

/// The functions that a message goes through, from the entry inwards: what is called inside the innermost of them is a stage.
const WAY: [&str; 6] = ["call_direct", "call", "call_at", "reply_recv_direct", "reply_recv", "answer_to"];

/// What was compiled into what, the outermost first.
pub(in crate::bench) struct Stages(Vec<Inlined>);

impl Stages {
    /// Out of the kernel's file.
    pub(super) fn read(file: &[u8]) -> Result<Stages, String> {
        let mut all = inlined(file).map_err(|error| format!("the kernel's debug information: {error}"))?;
        all.sort_by_key(|inlined| inlined.depth);
        Ok(Stages(all))
    }

    /// The stage of an address; `None`: what stands in the entry's own function.
    pub(super) fn of(&self, address: u64) -> Option<&str> {
        let holds = |inlined: &&Inlined| inlined.ranges.iter().any(|range| range.contains(&address));
        let chain: Vec<&str> = self.0.iter().filter(holds).map(Inlined::name).collect();
        let way = chain.iter().rposition(|name| WAY.contains(name));
        chain.get(way.map_or(0, |at| at + 1)).or(chain.last()).copied()
    }
}
