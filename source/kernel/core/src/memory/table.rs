//! Page tables: Sv39 over frames (RISC-V privileged specification, section "Sv39").

use super::frames::FRAME_WORDS;
use crate::Kernel;

impl Kernel {
    /// A root table with the kernel's half in place and nothing of the user's; not charged yet. `None`: out of frames.
    pub(crate) fn new_root(&self) -> Option<u32> {
        let frame = self.frames.allocate()?;
        if let Some(kernel) = self.machine.kernel_root {
            for (entry, of_kernel) in self.frames.at(frame).0.iter().zip(kernel).skip(FRAME_WORDS / 2) {
                entry.set(of_kernel.get());
            }
        }
        Some(frame)
    }
}
