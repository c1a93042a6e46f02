//! IPC pages: one frame per thread, readable and writable for its process, pinned by the kernel.
//!
//! It is mapped without a record, so no call of a program can unmap it or take its access away; it goes with its thread.

use super::{map::user_page, stash::Stash};
use crate::{
    Kernel,
    cpu::Cpu,
    process::{Process, quota::Resource},
};
use nexus_abi::{Error, layout::PAGE_SIZE, syscall::access};

impl Kernel {
    /// Maps an IPC page whose frame is charged already, and charges the tables it takes. `EINVAL`: misaligned.
    /// `EFAULT`: not user space. `EEXIST`: something is mapped there. `EOVERLIMIT`, `ENOMEM`. Holds all shards.
    pub(crate) fn map_ipc_page(&self, process: &Process, address: u64, frame: u32) -> Result<(), Error> {
        let page = user_page(address, 1)?;
        let root = process.root.get();
        if self.is_mapped(root, page) || self.mapping_at(process, page).is_some() {
            return Err(Error::Exists);
        }
        let tables = self.missing_tables(root, page, 1);
        process.account.check(Resource::Frames, tables)?;
        let mut stash = Stash::new(&self.frames);
        stash.fill(tables)?;
        self.add_tables(process, page, 1, &mut stash);
        self.set_page(root, page, self.frames.address(frame), access::READ | access::WRITE);
        Ok(())
    }

    /// Unmaps an IPC page and asks for the fence after which its frame may be released. Holds all shards.
    pub(crate) fn unmap_ipc_page(&self, cpu: &Cpu, process: &Process, address: u64) {
        let page = (address / PAGE_SIZE as u64) as u32;
        self.clear_pages(cpu, process, page..page + 1);
    }
}
