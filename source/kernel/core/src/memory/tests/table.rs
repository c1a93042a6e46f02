//! Of page tables: which frames they are, and what their entries say.

use super::*;

/// What a leaf entry says: physical address and access bits. `None` if it is not valid.
pub(crate) fn read_leaf(entry: u64) -> Option<(u64, u8)> {
    let when = |flag: u64, bit: u8| if entry & flag != 0 { bit } else { 0 };
    let bits = when(READ, access::READ) | when(WRITE, access::WRITE) | when(EXECUTE, access::EXECUTE);
    (entry & VALID != 0).then_some(((entry >> 10) << 12, bits))
}

impl Kernel {
    /// Calls `visit` with every frame that holds a table of this root, the root included.
    pub(crate) fn each_table(&self, root: u32, visit: &mut impl FnMut(u32)) {
        visit(root);
        let tables = |table: u32, count: usize| {
            self.frames.at(table).0.iter().take(count).filter_map(|entry| self.next_table(entry))
        };
        for middle in tables(root, USER_ENTRIES) {
            visit(middle);
            tables(middle, FRAME_WORDS).for_each(&mut *visit);
        }
    }

    /// Calls `visit` with every mapped user page of this root: page, physical address, access.
    pub(crate) fn each_page(&self, root: u32, visit: &mut impl FnMut(u32, u64, u8)) {
        for (high, upper) in self.frames.at(root).0.iter().enumerate().take(USER_ENTRIES) {
            let Some(middle) = self.next_table(upper) else { continue };
            for (mid, lower) in self.frames.at(middle).0.iter().enumerate() {
                let Some(last) = self.next_table(lower) else { continue };
                for (low, entry) in self.frames.at(last).0.iter().enumerate() {
                    if let Some((address, access)) = read_leaf(entry.get()) {
                        visit((high << 18 | mid << 9 | low) as u32, address, access);
                    }
                }
            }
        }
    }
}
