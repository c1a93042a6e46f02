//! Of memory objects: which frames each is made of.

use super::*;

impl Kernel {
    /// Calls `visit` with every frame that an object is made of.
    pub(crate) fn each_frame(&self, memory: &Memory, visit: &mut impl FnMut(u32)) {
        if memory.backing() != Backing::Frames || memory.root.get() == 0 {
            return;
        }
        visit(memory.root.get());
        for page in 0..memory.indexed(memory.pages.get()) {
            if memory.levels() == 2 && page.is_multiple_of(INDEXED) {
                visit(self.upper(memory, page).get() as u32);
            }
            visit(self.page_frame(memory, page).unwrap_or(0));
        }
    }
}
