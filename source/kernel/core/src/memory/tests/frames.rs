//! Of the frames: which were ever given out, and which of them came back.

use super::Frames;

impl Frames {
    /// Calls `visit` with every free frame that was in use before.
    pub(crate) fn each_free(&self, mut visit: impl FnMut(u32)) {
        let _held = self.lock.hold();
        let mut frame = self.pool.free.get();
        for _ in 0..self.items.len() {
            if frame == 0 {
                break;
            }
            visit(frame);
            frame = self.at(frame).0[0].get() as u32;
        }
    }

    /// Calls `visit` with every frame that is or was in use.
    pub(crate) fn each_touched(&self, mut visit: impl FnMut(u32)) {
        let mut frame = self.past_holes(1);
        while frame < self.pool.fresh.get() {
            visit(frame);
            frame = self.past_holes(frame + 1);
        }
    }
}
