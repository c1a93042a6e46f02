//! The firmware of `hart2.S` as a program of its own: `scripts/kernel-test.sh` compiles it with `rustc` alone.

#![no_std]
#![no_main]

core::arch::global_asm!(include_str!("hart2.S"));

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
