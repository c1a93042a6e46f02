//! Of a wheel: every entry is where its time says, and is looked at by then.

use super::{LEVELS, Node, Wheel};
use crate::{arena::Arena, invariant::Check};

impl Wheel {
    /// Checks lists, marks and times, and answers how many nodes are in it.
    pub(crate) fn check(&self, check: &mut Check, nodes: &Arena<Node>, cpu: u32) -> usize {
        let _held = self.lock.hold();
        let mut count = self.check_list(check, nodes, self.reached.get(), None);
        for (level, slots) in self.slots.iter().enumerate() {
            for (slot, head) in slots.iter().enumerate() {
                check.at = (cpu * LEVELS as u32 + level as u32) * 64 + slot as u32;
                let occupied = self.occupied[level].get() & 1 << slot != 0;
                check.same("an occupied slot is marked, an empty one is not", occupied, head.get() != 0);
                count += self.check_list(check, nodes, head.get(), Some((level, slot)));
            }
        }
        count
    }

    fn check_list(&self, check: &mut Check, nodes: &Arena<Node>, head: u32, place: Option<(usize, usize)>) -> usize {
        let (mut index, mut previous, mut count) = (head, 0, 0);
        while index != 0 && count <= nodes.pool.capacity as usize {
            let node = nodes.at(index);
            check.at = index;
            check.same("nodes link both ways", node.links.previous.get(), previous);
            check.that("a node in a list knows that it is in a wheel", node.queued());
            let when = node.when.get().max(self.base.get());
            check.that("the wheel is looked at by the time of every node", self.next.get() <= when);
            if let Some((level, slot)) = place {
                check.same("a node knows its slot", node.place.get() as usize, 1 + level * 64 + slot);
                check.that("a slot knows its earliest node", self.earliest[level][slot].get() <= when);
                check.same("a node is in the slot of its time", (when >> (6 * level)) as usize & 63, slot);
            }
            (previous, index, count) = (index, node.links.next.get(), count + 1);
        }
        count
    }
}
