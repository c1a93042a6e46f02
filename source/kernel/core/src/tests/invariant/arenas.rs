//! Arenas: what is used, what is free, and that nothing is both.

use super::Check;
use crate::{
    Kernel,
    arena::{Arena, Object, index_of},
    memory::object::Backing,
};

impl Kernel {
    pub(super) fn check_arenas(&self, check: &mut Check) {
        check_arena(check, &self.processes);
        check_arena(check, &self.threads);
        check_arena(check, &self.endpoints);
        check_arena(check, &self.messages);
        check_arena(check, &self.notifications);
        check_arena(check, &self.memories);
        check_arena(check, &self.mappings);
        check_arena(check, &self.timers);
        check_arena(check, &self.irqs);
        check.at = 0;
        let sets = self.notifications.iter().filter(|(_, item)| item.header.reference() != 0 && item.is_set.get() == 1);
        check.same("wait sets are counted", self.wait_sets.get(), sets.count() as u32);
        let windows =
            self.memories.iter().filter(|(_, memory)| memory.header.reference() != 0 && memory.is_of(Backing::Device));
        check.same("windows are counted", self.windows.get(), windows.count() as u32);
        let free = self.blocks.free_blocks().take(self.blocks.pool.capacity as usize + 1).count() as u32;
        check.same("a slot block is lent or free", self.blocks.pool.used() + free, self.blocks.blocks_touched());
    }
}

fn check_arena<T: Object>(check: &mut Check, arena: &Arena<T>) {
    let (mut used, mut retired) = (0, 0);
    for (index, item) in arena.iter().take(arena.touched() as usize) {
        check.at = index;
        let reference = item.header().reference();
        check.that("an object's reference names its place", reference == 0 || index_of(reference) == index);
        used += u32::from(reference != 0);
        retired += u32::from(reference == 0 && item.header().used_up());
    }
    check.at = 0;
    check.same("an arena counts what it holds", arena.pool.used(), used + retired);
    let mut free = 0;
    for index in arena.free_places().take(arena.pool.capacity as usize + 1) {
        check.at = index;
        check.same("a free place holds nothing", arena.at(index).header().reference(), 0);
        free += 1;
    }
    check.same("a place is used, free or retired", arena.pool.used() + free, arena.touched());
}
