//! `cargo xtask trace --cost`: what a trace point costs while nothing is recorded.
//!
//! The kernel's debug information says which instructions each trace point became, wherever one was compiled in. The emulator
//! logs which of them a boot executes: as it ships, and once more with the recording on, which shows that more would be seen.

use super::points::{self, Point};
use crate::bench::met;
use crate::proof::emulator::Machine;
use std::collections::BTreeSet;

/// Instructions of a trace point at most while nothing is recorded.
const MOST: usize = 4;
/// The machine ends by itself behind this line.
const UNTIL: &str = "init: ready";

/// Counts in both boots, prints what it found, and fails if a trace point is dearer than it may be.
pub(super) fn judge() -> Result<(), String> {
    let path = crate::root().join("build/kernel");
    let file = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let points = points::of(&file).map_err(|error| format!("the kernel's debug information: {error}"))?;
    let off = Counts::of(&points, &boot(&points, "selftest=hello")?);
    println!("trace: while nothing is recorded {off}; {MOST} are allowed");
    let on = Counts::of(&points, &boot(&points, "selftest=hello trace")?);
    println!("trace: while it is {on}");
    verdict(&off, &on)
}

fn boot(points: &[Point], arguments: &str) -> Result<BTreeSet<u64>, String> {
    let machine = Machine::default().with("SMP", 1).with("ICOUNT", "shift=0,sleep=off").append(arguments);
    let ranges = points.iter().flat_map(|point| &point.ranges);
    let text: Vec<String> = ranges.map(|range| format!("{:#x}..{:#x}", range.start, range.end - 1)).collect();
    met(&machine.with("TRACED", text.join(",")), UNTIL)
}

fn verdict(off: &Counts, on: &Counts) -> Result<(), String> {
    let dear = off.instructions.last().is_none_or(|most| *most > MOST);
    let blind = on.instructions.last().is_none_or(|most| *most <= MOST);
    match (dear, blind) {
        (false, false) => Ok(()),
        (true, _) => Err(format!("more than {MOST} instructions, or no trace point was met: {off}")),
        (false, true) => Err(format!("no recording is seen, so nothing is known: {on}")),
    }
}

/// Trace points, and how many instructions of each that was met were executed, in order.
struct Counts {
    points: usize,
    instructions: Vec<usize>,
}

impl Counts {
    fn of(points: &[Point], executed: &BTreeSet<u64>) -> Counts {
        let of_point = |point: &Point| point.ranges.iter().map(|range| executed.range(range.clone()).count()).sum();
        let mut instructions: Vec<usize> = points.iter().map(of_point).filter(|count| *count > 0).collect();
        instructions.sort_unstable();
        Counts { points: points.len(), instructions }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [least, most] = [self.instructions.first(), self.instructions.last()].map(|count| count.unwrap_or(&0));
        write!(
            f,
            "{} of {} trace points met, {least} to {most} instructions each",
            self.instructions.len(),
            self.points
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(executed: &[u64]) -> Counts {
        let points = [Point { ranges: vec![10..14, 90..94] }, Point { ranges: vec![20..36, 36..40] }];
        Counts::of(&points, &executed.iter().copied().collect())
    }

    #[test]
    fn executed_instructions_of_a_trace_point_are_counted_wherever_they_lie() {
        let off = counts(&[8, 10, 12, 20, 24, 26, 40]);
        assert_eq!(off.to_string(), "2 of 2 trace points met, 2 to 3 instructions each");
        assert_eq!(counts(&[10, 12, 90, 92, 94]).to_string(), "1 of 2 trace points met, 4 to 4 instructions each");
    }

    #[test]
    fn one_instruction_too_many_none_at_all_or_an_unseen_recording_fails() {
        let (off, on) = (counts(&[20, 22, 24, 26]), counts(&[20, 22, 24, 26, 28]));
        assert_eq!(verdict(&off, &on), Ok(()));
        assert!(verdict(&on, &on).is_err());
        assert!(verdict(&counts(&[]), &on).is_err());
        assert!(verdict(&off, &off).is_err());
    }
}
