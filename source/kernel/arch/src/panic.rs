//! The end of a kernel that found itself wrong: registers, stack, then a reset or an exit status.

use crate::console::put;
use crate::power::{self, Status};
use crate::{csr, hart::HARTS, harts, linked, system};
use core::sync::atomic::{AtomicU32, Ordering};
use core::{arch::asm, fmt, fmt::Write, panic::PanicInfo};
use nexus_core::{cpu::whereabouts, spell, text::Hex};

/// 1 once a panic is being printed: a second one only stops. Nothing is handed over by it, so it orders nothing.
static CLAIMED: AtomicU32 = AtomicU32::new(0);

/// The names of the registers, three bytes each.
const NAMES: &[u8] =
    b" pc ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9s10s11 t3 t4 t5 t6";
/// Callers that a backtrace shows.
const CALLERS: usize = 24;
/// Bytes of the console ring that a panic repeats.
const LAST_LINES: u64 = 1024;

/// Only a kernel that is built `checked` comes here: what ships has nothing that panics, and none of this.
#[panic_handler]
fn panicked(info: &PanicInfo) -> ! {
    claim();
    let (file, line) = info.location().map_or(("", 0), |place| (place.file(), place.line()));
    // The sink never fails.
    let _ = writeln!(Sink, "PANIC: panicked at {file}:{line}: {}", info.message());
    let (stack, thread): (u64, u64);
    // SAFETY: reading the stack and thread pointers changes nothing.
    unsafe { asm!("mv {}, sp", "mv {}, tp", out(reg) stack, out(reg) thread, options(nomem, nostack)) };
    finish(thread, stack)
}

/// Called by `kernel_fault` on the emergency stack, with all registers (word 0 is pc).
#[unsafe(no_mangle)]
extern "C" fn fault_taken(registers: &[u64; 32]) -> ! {
    claim();
    let (cause, address) = (csr::scause(), csr::stval());
    let what = match cause {
        _ if harts::stack_of(address).is_some_and(|stack| address < stack.start) => "kernel stack overflow",
        12 | 13 | 15 => "kernel page fault",
        _ => "unexpected trap in the kernel",
    };
    spell!(put, "PANIC: ", what, ": scause 0x", Hex(cause, 1), ", stval 0x", Hex(address, 1));
    spell!(put, ", sstatus 0x", Hex(csr::sstatus(), 1), b'\n');
    for (at, (name, value)) in NAMES.as_chunks::<3>().0.iter().zip(registers).enumerate() {
        spell!(put, "  ", name[0], name[1], name[2], b' ', Hex(*value, 16), if at % 4 == 3 { "\n" } else { "" });
    }
    finish(registers[4], registers[2])
}

/// Prints a panic's message, which has numbers in it where an index or a comparison was wrong.
struct Sink;

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        spell!(put, text);
        Ok(())
    }
}

fn claim() {
    if CLAIMED.swap(1, Ordering::Relaxed) != 0 {
        end();
    }
}

/// Prints the words of the stack that are return addresses: into the text, behind a call.
fn callers(stack: u64) {
    // An overflown stack pointer stands below its stack: all of that stack is looked at.
    let Some(found) = harts::stack_of(stack) else { return };
    spell!(put, "callers:");
    let words = (stack.max(found.start) & !7..found.end).step_by(8);
    let values = words.map(|at| {
        // SAFETY: inside a stack, which is mapped, and aligned.
        unsafe { (at as *const u64).read_volatile() }
    });
    values.filter(|&value| follows_call(value)).take(CALLERS).for_each(|value| spell!(put, " 0x", Hex(value, 1)));
    spell!(put, b'\n');
}

/// True if the instruction before this address is a call: `jal ra`, `jalr ra` or `c.jalr`.
fn follows_call(address: u64) -> bool {
    let text = linked::text();
    if !address.is_multiple_of(2) || !(text.start + 4..text.end).contains(&address) {
        return false;
    }
    let half = |at: u64| {
        // SAFETY: inside the text, which is readable, and aligned to a half word.
        u32::from(unsafe { (at as *const u16).read_volatile() })
    };
    let (word, short) = (half(address - 4) | half(address - 2) << 16, half(address - 2));
    let long_call = word & 0xfff == 0x0ef || word & 0x7fff == 0x00e7;
    let short_call = short & 0xf07f == 0x9002 && short & 0xf80 != 0;
    long_call || short_call
}

/// Says who called, what the console printed last, and which CPU this is. The thread pointer is only a hint; one that leads
/// nowhere is told from the stack. Who does not know where it is while others run must not end the machine for them: it
/// halts.
fn finish(thread: u64, stack: u64) -> ! {
    callers(stack);
    let Some(system) = system::get() else { end() };
    spell!(put, "last lines:\n");
    system.kernel.log.tail(LAST_LINES, &mut put);
    let hint = HARTS.iter().position(|hart| core::ptr::from_ref(hart) as u64 == thread);
    let Some(cpu) = whereabouts(system.kernel.cpus, hint, harts::of_stack(stack)) else {
        spell!(put, "on no CPU that is known: halted\n");
        harts::park()
    };
    spell!(put, "on cpu", cpu as u64, b'\n');
    end()
}

fn end() -> ! {
    if system::get().is_some_and(|system| system.arguments.exit_on_panic) {
        power::stop(Status::Panic)
    } else {
        power::reset()
    }
}
