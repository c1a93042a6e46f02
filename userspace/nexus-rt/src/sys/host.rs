//! A machine that a test supplies: the same functions as the target's, answered by [`Host`].
//!
//! Each host thread installs its own machine, as each program has its own process. Without one every system call is
//! `ENOSYS`.

extern crate std;

use alloc::{boxed::Box, vec::Vec};
use std::{cell::RefCell, thread::Thread, thread_local};

use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::message::Status;
use nexus_abi::{Error, start::StartPage};

use super::{Arrival, Departure};
use crate::thread::Body;

/// What a test supplies in place of kernel and devices.
pub trait Host {
    /// Answers a system call, typed or message; `page` is the caller's IPC page.
    fn call(&mut self, registers: &Departure, page: &mut [u8; PAGE_SIZE]) -> Arrival;

    /// The `time` counter.
    fn time(&mut self) -> u64 {
        0
    }

    /// A load of `bytes` bytes.
    fn load(&mut self, _address: u64, _bytes: usize) -> u64 {
        0
    }

    /// A store of `bytes` bytes.
    fn store(&mut self, _address: u64, _bytes: usize, _value: u64) {}
}

struct Absent;

impl Host for Absent {
    fn call(&mut self, _registers: &Departure, _page: &mut [u8; PAGE_SIZE]) -> Arrival {
        Arrival { status: Status::refused(Error::NoCall), words: [0; 8], badge: 0, service: 0, process: 0, trace: 0 }
    }
}

thread_local! {
    static MACHINE: RefCell<Box<dyn Host>> = RefCell::new(Box::new(Absent));
    static PAGE: RefCell<Box<[u8; PAGE_SIZE]>> = RefCell::new(Box::new([0; PAGE_SIZE]));
    static START: RefCell<Option<StartPage<'static>>> = const { RefCell::new(None) };
}

/// Installs the machine of this host thread.
pub fn install(host: impl Host + 'static) {
    MACHINE.with(|machine| *machine.borrow_mut() = Box::new(host));
}

/// Gives this host thread a start page.
pub fn install_start_page(bytes: &[u8]) -> Result<(), Error> {
    let page = StartPage::read(Box::leak(Box::<[u8]>::from(bytes)))?;
    START.with(|start| *start.borrow_mut() = Some(page));
    Ok(())
}

/// A typed call.
pub(crate) fn leaf(number: u64, target: u64, words: [u64; 8]) -> (Status, [u64; 8]) {
    let arrival = message(&Departure { number, target, deadline: 0, extent: 0, words });
    (arrival.status, arrival.words)
}

/// A system call; on the host nothing is counted.
pub fn counted(out: &Departure) -> super::Counted {
    super::Counted { before: 0, after: 1, arrival: message(out) }
}

/// As [`counted`].
pub fn retired() -> u64 {
    0
}

/// A message call.
pub fn message(out: &Departure) -> Arrival {
    PAGE.with(|page| MACHINE.with(|machine| machine.borrow_mut().call(out, &mut page.borrow_mut())))
}

/// The `time` counter.
pub(crate) fn time() -> u64 {
    MACHINE.with(|machine| machine.borrow_mut().time())
}

/// The host has a seat for each of its threads.
pub(crate) fn add_seat(_index: usize) -> Result<(), Error> {
    Ok(())
}

/// Where this host thread sleeps.
#[derive(Debug)]
pub(crate) struct Seat(Thread);

/// Wakes who sits in a seat.
#[derive(Clone, Debug)]
pub(crate) struct Waker(Thread);

impl Seat {
    /// This thread's.
    pub(crate) fn take() -> Seat {
        Seat(std::thread::current())
    }

    /// What wakes it.
    pub(crate) fn waker(&self) -> Waker {
        Waker(self.0.clone())
    }

    /// Sleeps until it is woken, which may have happened already.
    pub(crate) fn wait(&self) {
        std::thread::park();
    }
}

impl Waker {
    /// Wakes the sleeper.
    pub(crate) fn wake(self) {
        self.0.unpark();
    }
}

/// The start page, if one was installed.
pub(crate) fn start_page() -> Option<StartPage<'static>> {
    START.with(|start| *start.borrow())
}

/// Stands for the address of the thread's IPC page: another for each thread.
pub fn ipc_page() -> u64 {
    std::thread_local! { static PAGE: u8 = const { 0 }; }
    PAGE.with(|page| core::ptr::from_ref(page) as u64)
}

/// Copies into the IPC page.
pub fn write_page(at: usize, bytes: &[u8]) {
    PAGE.with(|page| page.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes));
}

/// Copies from the IPC page.
pub fn read_page(at: usize, bytes: &mut [u8]) {
    PAGE.with(|page| bytes.copy_from_slice(&page.borrow()[at..at + bytes.len()]));
}

/// Loads one value.
pub(crate) fn load<T: Copy + TryFrom<u64> + Default>(address: u64) -> T {
    MACHINE.with(|machine| T::try_from(machine.borrow_mut().load(address, size_of::<T>())).unwrap_or_default())
}

/// Stores one value.
pub(crate) fn store<T: Copy + Into<u64>>(address: u64, value: T) {
    MACHINE.with(|machine| machine.borrow_mut().store(address, size_of::<T>(), value.into()));
}

/// The bytes of a sealed object: loaded from the machine, and leaked.
pub(crate) fn sealed_bytes(address: u64, length: usize) -> &'static [u8] {
    let bytes: Vec<u8> = (0..length as u64).map(|at| load(address + at)).collect();
    bytes.leak()
}

/// Entry point and argument of a thread: none here, the body is dropped.
pub(crate) fn thread_registers(_body: Body) -> (u64, u64) {
    (0, 0)
}

/// Here a wrong thing would be the test's own fault.
pub fn provoke(wrong: super::Wrong) -> ! {
    panic!("{} is for the target only", wrong.name())
}

/// As [`provoke`].
pub fn go_wild(wild: super::Wild) -> ! {
    panic!("{wild:?} is for the target only")
}

/// The host's registers are not a proof's business.
pub fn fill_registers(_secret: u64) {}

/// As [`fill_registers`].
pub fn registers_behind(_number: u64, _before: u64) -> [u64; 16] {
    [0; 16]
}

/// Entry point and argument of a thread: none here.
pub fn probe() -> (u64, u64) {
    (0, 0)
}

/// No thread probes here.
pub fn first_registers() -> Option<super::First> {
    None
}

/// No other process runs here between two instructions.
pub fn reserve_across(_word: &core::sync::atomic::AtomicU64) -> bool {
    false
}

/// As [`reserve_across`].
pub fn store_unreserved(_word: &core::sync::atomic::AtomicU64) -> bool {
    false
}

/// What a program is on the host: a process that says where it belongs.
pub fn not_here() -> i32 {
    std::eprintln!("this program runs on Nexus: cargo xtask run");
    2
}

/// Makes a program link on the host, where it cannot run.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        #[unsafe(export_name = "main")]
        extern "C" fn nexus_host_main() -> i32 {
            let _ = || $crate::program::Status::of($main());
            $crate::sys::not_here()
        }
    };
}
