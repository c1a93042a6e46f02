//! The machine itself: RISC-V under the Nexus kernel.

mod call;
mod counted;
mod entry;
mod heap;
mod leftovers;
mod memory;
mod page;
mod panic;
mod raw;
mod seat;
mod spawn;
mod wild;
mod wrong;

pub use call::message;
pub(crate) use call::{leaf, time};
pub use counted::{counted, counted_load, counted_store, retired, use_float};
pub(crate) use entry::start_page;
pub use leftovers::{fill_registers, first_registers, probe, registers_behind, reserve_across, store_unreserved};
pub(crate) use memory::{load, sealed_bytes, store};
pub use page::{read_page, write_page};
pub use raw::{ipc_page, peek, poke};
pub(crate) use seat::{Seat, Waker, add_seat};
pub(crate) use spawn::{exchange, leave, thread_registers};
pub use wild::go_wild;
pub use wrong::provoke;

/// Declares a static of the program, behind a lock.
macro_rules! own {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr) => {
        $(#[$doc])*
        static $name: $crate::sys::Mutex<$type> = $crate::sys::Mutex::new($value);
    };
}
pub(crate) use own;

/// Exports the program's entry under the name that `_start` calls.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "Rust" fn nexus_main() -> i64 {
            $crate::records::install();
            $crate::program::Status::of($main())
        }
    };
}
