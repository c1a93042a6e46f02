//! What the linker script says of the kernel: where its parts lie, in the direct map.

use core::ops::Range;

macro_rules! ranges {
    ($($(#[$doc:meta])* $name:ident $start:ident $end:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name() -> Range<u64> {
            unsafe extern "C" {
                static $start: u8;
                static $end: u8;
            }
            &raw const $start as u64..&raw const $end as u64
        }
    )*};
}

ranges! {
    /// All of it, stacks included.
    kernel kernel_start kernel_end;
    /// What is executed.
    text kernel_start text_end;
    /// Constants.
    constants text_end rodata_end;
    /// What is written.
    data rodata_end data_end;
    /// The boot hart's stack.
    boot_stack boot_stack_bottom boot_stack_top;
    /// The stack that faults of the kernel are reported on.
    emergency_stack emergency_stack_bottom emergency_stack_top;
}
