//! IPC pages: one frame per thread, readable and writable for its process, pinned by the kernel.
//!
//! It is mapped without a record, so no call of a program can unmap it or take its access away; it goes with its thread.

use super::{map::user_page, stash::Stash, tree::leaf};
use crate::process::{Process, quota::Resource};
use crate::{Kernel, percpu::Here};
use nexus_abi::{Error, layout::PAGE_SIZE, syscall::access};

fn page_at(address: u64) -> u32 {
    (address / PAGE_SIZE as u64) as u32
}

impl Kernel {
    /// The frames that an IPC page at this address takes: its own, and those of missing tables. `EINVAL`: misaligned.
    /// `EFAULT`: not user space. `EEXIST`: something is mapped there. `EOVERLIMIT`. Holds all shards.
    pub(crate) fn check_ipc_page(&self, process: &Process, address: u64) -> Result<u32, Error> {
        let (_, tables) = self.check_pages(process, user_page(address, 1)?, 1)?;
        process.account.check(Resource::Frames, 1 + tables)?;
        Ok(1 + tables)
    }

    /// Maps what [`Kernel::check_ipc_page`] allowed, from a stash with the frames it counted, and charges them. Answers
    /// the page's frame.
    pub(crate) fn map_ipc_page(&self, process: &Process, address: u64, stash: &mut Stash) -> u32 {
        self.reach(process.tree(), page_at(address), &process.account, stash);
        let frame = stash.take().unwrap_or(0);
        process.account.charge(Resource::Frames, 1);
        self.set_pages(process, page_at(address), 1, leaf(self.frames.address(frame), access::READ | access::WRITE));
        frame
    }

    /// Unmaps an IPC page and asks for the fence after which its frame may be released. Holds all shards.
    pub(crate) fn unmap_ipc_page(&self, cpu: Here, process: &Process, address: u64) {
        self.clear_pages(cpu, process, page_at(address), 1);
    }
}
