//! A machine that a test supplies: the same functions as the target's, answered by [`Host`].
//!
//! What a thread of a program has of its own stands on its [`Stage`]: machine, IPC page, start page. Each host thread
//! has one. A simulator that runs many programs on one host thread moves between stages of its making, which have the
//! program's statics of their own too. Without a machine every system call is `ENOSYS`.

extern crate std;

use alloc::{boxed::Box, collections::BTreeMap, rc::Rc, vec::Vec};
use core::any::Any;
use core::cell::RefCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU64, Ordering};
use std::{thread::Thread, thread_local};

use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::message::Status;
use nexus_abi::{Error, start::StartPage};

use super::{Arrival, Departure, Mutex};
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

    /// The bytes of a sealed object where they lie, if the machine has them at hand; else they are loaded.
    fn sealed(&mut self, _address: u64, _length: usize) -> Option<&'static [u8]> {
        None
    }
}

struct Absent;

impl Host for Absent {
    fn call(&mut self, _registers: &Departure, _page: &mut [u8; PAGE_SIZE]) -> Arrival {
        Arrival { status: Status::refused(Error::NoCall), words: [0; 8], badge: 0, service: 0, process: 0, trace: 0 }
    }
}

/// What a thread has of its own.
pub struct Stage {
    machine: RefCell<Box<dyn Host>>,
    page: RefCell<Box<[u8; PAGE_SIZE]>>,
    start: RefCell<Option<StartPage<'static>>>,
    /// None: it shares its program's statics with the other threads of the host.
    statics: Option<RefCell<Statics>>,
}

/// A program's statics, by the address of each; none while one is locked.
type Statics = BTreeMap<usize, Option<Box<dyn Any>>>;

thread_local! {
    static STAGE: RefCell<Rc<Stage>> = RefCell::new(Rc::new(Stage::with(Absent, None)));
}

impl Stage {
    /// That of a program of its own, of one thread, which begins on this machine.
    pub fn new(host: impl Host + 'static) -> Rc<Stage> {
        Rc::new(Stage::with(host, Some(RefCell::default())))
    }

    fn with(host: impl Host + 'static, statics: Option<RefCell<Statics>>) -> Stage {
        Stage {
            machine: RefCell::new(Box::new(host)),
            page: RefCell::new(Box::new([0; PAGE_SIZE])),
            start: RefCell::default(),
            statics,
        }
    }

    /// Makes it the stage of this host thread; answers which that was.
    pub fn enter(self: Rc<Stage>) -> Rc<Stage> {
        STAGE.with(|stage| stage.replace(self))
    }
}

fn stage() -> Rc<Stage> {
    STAGE.with(|stage| Rc::clone(&stage.borrow()))
}

/// A static of a program, made where it is first locked.
pub(crate) struct Own<T: 'static> {
    make: fn() -> T,
    common: Mutex<Option<Box<T>>>,
}

impl<T: 'static> Own<T> {
    pub(crate) const fn new(make: fn() -> T) -> Own<T> {
        Own { make, common: Mutex::new(None) }
    }

    /// As a mutex's: a second lock by its own holder is a mistake.
    pub(crate) fn lock(&'static self) -> Owned<T> {
        let stage = stage();
        let Some(statics) = &stage.statics else {
            let mut common = self.common.lock();
            let value = common.take().unwrap_or_else(|| Box::new((self.make)()));
            return Owned { value: Some(value), home: Home::Common(common) };
        };
        let key = core::ptr::from_ref(self) as usize;
        let kept = statics.borrow_mut().insert(key, None);
        let kept = kept.map(|kept| kept.and_then(|kept| kept.downcast().ok()).expect("nobody locks what he holds"));
        let value = kept.unwrap_or_else(|| Box::new((self.make)()));
        Owned { value: Some(value), home: Home::Stage(Rc::clone(&stage), key) }
    }
}

/// The guard of an [`Own`]: the value, and where it goes back to.
pub(crate) struct Owned<T: 'static> {
    value: Option<Box<T>>,
    home: Home<T>,
}

enum Home<T: 'static> {
    Common(lock_api::MutexGuard<'static, super::QueueLock, Option<Box<T>>>),
    Stage(Rc<Stage>, usize),
}

impl<T> Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is there until the drop")
    }
}

impl<T> DerefMut for Owned<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is there until the drop")
    }
}

impl<T: 'static> Drop for Owned<T> {
    fn drop(&mut self) {
        let value = self.value.take();
        match &mut self.home {
            Home::Common(common) => **common = value,
            Home::Stage(stage, key) => {
                let statics = stage.statics.as_ref().expect("it was taken from there");
                statics.borrow_mut().insert(*key, value.map(|value| value as Box<dyn Any>));
            }
        }
    }
}

/// Declares a static of the program, behind a lock.
macro_rules! own {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr) => {
        $(#[$doc])*
        static $name: $crate::sys::Own<$type> = $crate::sys::Own::new(|| $value);
    };
}
pub(crate) use own;

/// Installs the machine of this host thread's stage.
pub fn install(host: impl Host + 'static) {
    *stage().machine.borrow_mut() = Box::new(host);
}

/// Gives this host thread's stage a start page.
pub fn install_start_page(bytes: &[u8]) -> Result<(), Error> {
    let page = StartPage::read(Box::leak(Box::<[u8]>::from(bytes)))?;
    *stage().start.borrow_mut() = Some(page);
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
    let stage = stage();
    let (mut machine, mut page) = (stage.machine.borrow_mut(), stage.page.borrow_mut());
    machine.call(out, &mut page)
}

/// The `time` counter.
pub(crate) fn time() -> u64 {
    stage().machine.borrow_mut().time()
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
    *stage().start.borrow()
}

/// Stands for the address of the thread's IPC page: another for each thread.
pub fn ipc_page() -> u64 {
    std::thread_local! { static PAGE: u8 = const { 0 }; }
    PAGE.with(|page| core::ptr::from_ref(page) as u64)
}

/// Copies into the IPC page.
pub fn write_page(at: usize, bytes: &[u8]) {
    stage().page.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Copies from the IPC page.
pub fn read_page(at: usize, bytes: &mut [u8]) {
    bytes.copy_from_slice(&stage().page.borrow()[at..at + bytes.len()]);
}

/// Loads one value.
pub(crate) fn load<T: Copy + TryFrom<u64> + Default>(address: u64) -> T {
    T::try_from(stage().machine.borrow_mut().load(address, size_of::<T>())).unwrap_or_default()
}

/// Stores one value.
pub(crate) fn store<T: Copy + Into<u64>>(address: u64, value: T) {
    stage().machine.borrow_mut().store(address, size_of::<T>(), value.into());
}

/// The bytes of a sealed object: where they lie, or loaded from the machine, and leaked.
pub(crate) fn sealed_bytes(address: u64, length: usize) -> &'static [u8] {
    if let Some(bytes) = stage().machine.borrow_mut().sealed(address, length) {
        return bytes;
    }
    let bytes: Vec<u8> = (0..length as u64).map(|at| load(address + at)).collect();
    bytes.leak()
}

/// As on the target; here no thread has a body.
pub(crate) fn exchange(_a1: u64, _body: Body) {}

/// Here no thread ends but with its test.
pub(crate) fn leave(left: &'static AtomicU64, bit: u64) -> ! {
    left.fetch_or(bit, Ordering::Release);
    panic!("the thread has ended")
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
