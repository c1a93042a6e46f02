//! Of trees of frames: which frames they are, and what the entries of pages say.

use super::*;

/// What the entry of a page says: physical address and access bits. `None` if it is not valid.
pub(crate) fn read_leaf(entry: u64) -> Option<(u64, u8)> {
    let when = |flag: u64, bit: u8| if entry & flag != 0 { bit } else { 0 };
    let bits = when(READ, access::READ) | when(WRITE, access::WRITE) | when(EXECUTE, access::EXECUTE);
    valid(entry).map(|address| (address, bits))
}

impl Kernel {
    /// Calls `visit` with every frame of a tree.
    pub(crate) fn each_frame(&self, tree: Tree<'_>, visit: &mut dyn FnMut(u32)) {
        let _ = self.walk(tree, &mut |_, frame, _| {
            visit(frame);
            Ok(())
        });
    }

    /// Calls `visit` with every mapped user page: physical address, access.
    pub(crate) fn each_page(&self, process: &Process, visit: &mut dyn FnMut(u64, u8)) {
        let _ = self.walk(process.tree(), &mut |_, frame, depth| {
            let leaves = self.frames.at(frame).0.iter().filter(|_| depth == 0);
            leaves.filter_map(|entry| read_leaf(entry.get())).for_each(|(address, access)| visit(address, access));
            Ok(())
        });
    }
}
