//! How a hart arrives: from the first instruction to the image's `main`.

use crate::hart::{HARTS, Hart};
use crate::{csr, paging};
use core::arch::global_asm;
use nexus_abi::syscall::{Syscall as _, Whoami, ipc};
use nexus_core::thread::Thread;

global_asm!(
    include_str!("entry.S"),
    direct = const crate::layout::DIRECT,
    leaf = const paging::BOOT_LEAF,
    gigabytes = const paging::BOOT_GIGABYTES,
    harts = sym HARTS,
    most = const HARTS.len(),
    number = const core::mem::offset_of!(Hart, number),
    size = const size_of::<Hart>(),
);
global_asm!(
    include_str!("trap.S"),
    directed = const ipc::REPLY_RECV_UNTIL + 1,
    device = const csr::DEVICE,
    call_extended = const ipc::CALL_EXTENDED,
    messages = const ipc::SEND + 1,
    whoami = const Whoami::NUMBER,
    float = const core::mem::offset_of!(crate::hart::Hart, float),
    frame = const core::mem::offset_of!(Thread, frame),
    process = const core::mem::offset_of!(Thread, process),
    service = const core::mem::offset_of!(Thread, service),
);

const _: () = assert!(ipc::REPLY_RECV_EXTENDED == ipc::CALL_EXTENDED + 1 && ipc::CALL_EXTENDED.is_multiple_of(2));

/// Names the function that boots, `fn(hart, device_tree, instructions) -> !`: the hart that boots, the physical address of the
/// device tree, and the instructions the hart had retired when it arrived. It runs on the boot hart, interrupts off.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        // Called by `_start` on the boot stack, in the upper half, with the boot table.
        #[unsafe(no_mangle)]
        extern "C" fn arrived(hart: u64, device_tree: u64, instructions: u64) -> ! {
            $main(hart, device_tree, instructions)
        }
    };
}
