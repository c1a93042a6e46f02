//! A machine that plays a script: what each message call gets, and a record of all that was called.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::message::{Extent, HEADER_BYTES, Status};
use nexus_abi::start::{self, StartInfo};
use nexus_abi::syscall::{TYPED, ipc};
use nexus_abi::{Error, Handle, Name, ProcessId, ServiceId};
use nexus_ipc::Message;
use nexus_rt::sys::{self, Arrival, Departure, Host};

/// One arrival of the script.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    pub(crate) status: u64,
    pub(crate) message: Message,
    pub(crate) service: ServiceId,
    pub(crate) badge: u64,
    /// The time once it has arrived.
    pub(crate) time: u64,
}

impl Scripted {
    pub(crate) fn message(status: u64, message: Message) -> Scripted {
        Scripted { status, message, service: ServiceId::program("app/test"), badge: 0, time: 0 }
    }

    pub(crate) fn error(error: Error) -> Scripted {
        Scripted::message(error.number().into(), Message::default())
    }
}

/// A call that was made: its name, its registers, and the message in registers and page.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) name: &'static str,
    pub(crate) target: u64,
    pub(crate) deadline: u64,
    pub(crate) message: Message,
}

/// Script and record.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) script: VecDeque<Scripted>,
    pub(crate) made: Vec<Made>,
    pub(crate) time: u64,
}

/// The machine's handle for the test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine(pub(crate) Rc<RefCell<State>>);

impl Machine {
    /// Installs a machine with a script, and a start page with these handles.
    pub(crate) fn install(handles: &[(&str, u64)], script: impl IntoIterator<Item = Scripted>) -> Machine {
        let machine = Machine::default();
        machine.0.borrow_mut().script.extend(script);
        let handles: Vec<_> = handles
            .iter()
            .map(|&(name, raw)| (Name::new(name).expect("short"), Handle::from_raw(raw).expect("not 0")))
            .collect();
        let info = StartInfo {
            timebase: 10_000_000,
            ipc_page: 0,
            process: ProcessId(1),
            service: ServiceId::service("test"),
            heap_pages: 0,
        };
        let mut page = [0; PAGE_SIZE];
        let length = start::write(&mut page, &info, &handles, &["test"], &[]).expect("fits");
        sys::install_start_page(&page[..length]).expect("whole");
        sys::install(machine.clone());
        machine
    }

    /// The names of the calls made so far.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.borrow().made.iter().map(|made| made.name).collect()
    }

    /// The calls of this name.
    pub(crate) fn made(&self, name: &str) -> Vec<Made> {
        self.0.borrow().made.iter().filter(|made| made.name == name).cloned().collect()
    }
}

fn name(number: u64) -> &'static str {
    let typed = TYPED.iter().map(|call| (call.number, call.name));
    ipc::ALL.iter().copied().chain(typed).find(|&(known, _)| known == number).expect("a number of the table").1
}

fn outgoing(out: &Departure, page: &[u8; PAGE_SIZE]) -> Message {
    let mut message = Message { words: out.words, ..Message::default() };
    let extended = matches!(out.number, ipc::CALL_EXTENDED | ipc::REPLY_RECV_EXTENDED | ipc::REPLY_EXTENDED);
    if extended {
        let extent = Extent::from_word(out.extent).expect("a good extent");
        message.payload = page[HEADER_BYTES..HEADER_BYTES + extent.length].to_vec();
        for at in 1..=extent.handles {
            let raw = u64::from_le_bytes(page[8 * at..8 * at + 8].try_into().expect("eight bytes"));
            message.handles.push(Handle::from_raw(raw).expect("not 0")).expect("no more than seven");
        }
        message.passing = extent.passing;
    } else if out.number == ipc::SEND {
        Handle::from_raw(out.extent).into_iter().for_each(|handle| message.handles.push(handle).expect("the first"));
    }
    message
}

impl Host for Machine {
    fn call(&mut self, out: &Departure, page: &mut [u8; PAGE_SIZE]) -> Arrival {
        let state = &mut *self.0.borrow_mut();
        let message = outgoing(out, page);
        state.made.push(Made { name: name(out.number), target: out.target, deadline: out.deadline, message });
        let waits = out.number < ipc::REPLY;
        let next = if waits { state.script.pop_front() } else { None };
        let scripted = match next {
            Some(scripted) => scripted,
            None if waits => Scripted::error(Error::PeerClosed),
            // Every other call succeeds; where a handle is answered, it is 77.
            None => Scripted::message(0, Message { words: [77, 0, 0, 0, 0, 0, 0, 0], ..Message::default() }),
        };
        state.time = state.time.max(scripted.time);
        let Message { words, payload, handles, .. } = scripted.message;
        let mut status = scripted.status;
        if !payload.is_empty() || !handles.is_empty() {
            status |= Status::EXTENDED;
            let extent = Extent { length: payload.len(), handles: handles.len(), ..Extent::default() };
            page[..8].copy_from_slice(&extent.to_word().to_le_bytes());
            for (at, handle) in handles.iter().enumerate() {
                page[8 + 8 * at..16 + 8 * at].copy_from_slice(&handle.raw().to_le_bytes());
            }
            page[HEADER_BYTES..HEADER_BYTES + payload.len()].copy_from_slice(&payload);
        }
        let (badge, service) = (scripted.badge, scripted.service.0);
        Arrival { status: Status(status), words, badge, service, process: 9, trace: 0 }
    }

    fn time(&mut self) -> u64 {
        self.0.borrow().time
    }
}
