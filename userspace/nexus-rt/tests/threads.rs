//! Threads that are refused: nothing of them is lost.

use std::cell::RefCell;
use std::rc::Rc;

use nexus_abi::Error;
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::message::Status;
use nexus_abi::syscall::{Syscall, ThreadCreate, ThreadStart};
use nexus_rt::sys::{self, Arrival, Departure, Host};
use nexus_rt::thread;

/// Threads made, and those that were let run, by handle; how many are refused.
#[derive(Default)]
struct Made {
    threads: u64,
    run: Vec<u64>,
    refused: usize,
}

#[derive(Clone, Default)]
struct Kernel(Rc<RefCell<Made>>);

impl Host for Kernel {
    fn call(&mut self, out: &Departure, _: &mut [u8; PAGE_SIZE]) -> Arrival {
        let made = &mut *self.0.borrow_mut();
        let mut answer = 77;
        let mut status = Status(0);
        match out.number {
            ThreadCreate::NUMBER => {
                made.threads += 1;
                answer = 100 + made.threads;
            }
            ThreadStart::NUMBER if made.refused > 0 => {
                made.refused -= 1;
                status = Status(Error::Again.number().into());
            }
            ThreadStart::NUMBER => made.run.push(out.target),
            _ => {}
        }
        let words = [answer, 0, 0, 0, 0, 0, 0, 0];
        Arrival { status, words, badge: 0, service: 0, process: 9, trace: 0 }
    }

    fn time(&mut self) -> u64 {
        0
    }
}

#[test]
fn a_thread_that_is_refused_is_the_next_one_that_fits() {
    let kernel = Kernel::default();
    sys::install(kernel.clone());
    let spawn = |pages| thread::spawn(pages, Box::new(|| {})).map(|handle| handle.raw());
    kernel.0.borrow_mut().refused = 3;
    for _ in 0..3 {
        assert_eq!(spawn(2), Err(Error::Again));
    }
    assert_eq!(kernel.0.borrow().threads, 1, "one is made and tried again");
    assert_eq!(spawn(3), Ok(102), "it has too small a stack for another");
    assert_eq!(spawn(1), Ok(101));
    assert_eq!(spawn(1), Ok(103), "no spare is left");
    assert_eq!(kernel.0.borrow().run, [102, 101, 103]);
}
