//! Typed system calls.
//!
//! `invoke(ProcessKill { process, status })` is a system call: the struct is the call, its `Output` the answer.
//! [`Kernel`] is the seam for state machines that make calls: [`Machine`] on the target, a fake in a host test.

use nexus_abi::syscall::{Answer, Syscall};
use nexus_abi::{Error, Handle};

use crate::sys;

/// Makes a system call.
#[inline(always)]
pub fn invoke<S: Syscall>(call: S) -> Result<S::Output, Error> {
    let mut words = [0; 8];
    let target = call.encode(&mut |at, word| words[at] = word);
    let (status, words) = sys::leaf(S::NUMBER, target, words);
    match status.error() {
        None => S::Output::decode(&words),
        Some(error) => Err(error),
    }
}

/// Something that answers system calls.
pub trait Kernel {
    /// Makes a call whose numbers are already in registers: number, target, words.
    fn raw(&mut self, number: u64, target: u64, words: [u64; 8]) -> Result<[u64; 8], Error>;

    /// Copies bytes into a memory object, from byte `at` on. Needs its write right.
    fn fill(&mut self, memory: Handle, at: u64, bytes: &[u8]) -> Result<(), Error>;

    /// The `time` counter.
    fn now(&self) -> u64;

    /// Makes a typed call.
    fn invoke<S: Syscall>(&mut self, call: S) -> Result<S::Output, Error>
    where
        Self: Sized,
    {
        let mut words = [0; 8];
        let target = call.encode(&mut |at, word| words[at] = word);
        S::Output::decode(&self.raw(S::NUMBER, target, words)?)
    }
}

/// The kernel under this program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl Kernel for Machine {
    fn raw(&mut self, number: u64, target: u64, words: [u64; 8]) -> Result<[u64; 8], Error> {
        let (status, words) = sys::leaf(number, target, words);
        status.error().map_or(Ok(words), Err)
    }

    fn fill(&mut self, memory: Handle, at: u64, bytes: &[u8]) -> Result<(), Error> {
        crate::memory::fill(memory, at, bytes)
    }

    fn now(&self) -> u64 {
        sys::time()
    }
}
