//! Records of a service: through the macros of the `log` crate, through lines of the console, through audits, into its ring.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::message::Status;
use nexus_abi::start::{self, StartInfo};
use nexus_abi::syscall::{LogWrite, Map, Notify, Syscall};
use nexus_abi::{Handle, Name, ProcessId, ServiceId};
use nexus_ipc::ring::{MAX_RECORD, Reader, Shared};
use nexus_proto::audit::{Audit, Decision};
use nexus_proto::record::{Level, MAX_TEXT, Record};
use nexus_rt::records;
use nexus_rt::sys::{self, Arrival, Departure, Host};

const BELL: u64 = 78;

#[derive(Default)]
struct State {
    /// Bytes by address.
    memory: BTreeMap<u64, u8>,
    /// Where the ring was mapped.
    ring: u64,
    rung: usize,
    lines: usize,
}

#[derive(Clone, Default)]
struct Machine(Rc<RefCell<State>>);

impl Host for Machine {
    fn call(&mut self, out: &Departure, _page: &mut [u8; PAGE_SIZE]) -> Arrival {
        let state = &mut *self.0.borrow_mut();
        let mut words = [0; 8];
        match out.number {
            Map::NUMBER => {
                let call = Map::decode(out.target, &out.words).expect("a map");
                (state.ring, words[0]) = (call.address, call.pages);
            }
            Notify::NUMBER => state.rung += usize::from(out.target == BELL),
            LogWrite::NUMBER => state.lines += 1,
            _ => {}
        }
        Arrival { status: Status(0), words, badge: 0, service: 0, process: 0, trace: 0 }
    }

    fn load(&mut self, address: u64, bytes: usize) -> u64 {
        let state = self.0.borrow();
        let byte = |at: usize| u64::from(*state.memory.get(&(address + at as u64)).unwrap_or(&0));
        (0..bytes).map(|at| byte(at) << (8 * at)).sum()
    }

    fn store(&mut self, address: u64, bytes: usize, value: u64) {
        for at in 0..bytes {
            self.0.borrow_mut().memory.insert(address + at as u64, (value >> (8 * at)) as u8);
        }
    }
}

impl Shared for Machine {
    fn load(&self, at: usize) -> u64 {
        let address = self.0.borrow().ring + at as u64;
        Host::load(&mut self.clone(), address, 8)
    }

    fn store(&self, at: usize, word: u64) {
        let address = self.0.borrow().ring + at as u64;
        Host::store(&mut self.clone(), address, 8, word);
    }

    fn publish(&self, at: usize, word: u64) {
        Shared::store(self, at, word);
    }

    fn observe(&self, at: usize) -> u64 {
        Shared::load(self, at)
    }

    fn read(&self, at: usize, bytes: &mut [u8]) {
        let state = self.0.borrow();
        for (offset, byte) in bytes.iter_mut().enumerate() {
            *byte = *state.memory.get(&(state.ring + (at + offset) as u64)).unwrap_or(&0);
        }
    }

    fn write(&self, _at: usize, _bytes: &[u8]) {
        unreachable!("a reader writes no records");
    }
}

fn start() -> Machine {
    let machine = Machine::default();
    let handles: Vec<_> = [("log", 76), (records::RING, 77), (records::BELL, BELL)]
        .into_iter()
        .map(|(name, raw)| (Name::new(name).expect("short"), Handle::from_raw(raw).expect("not 0")))
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

/// The next record of the ring: level, target, text, fields.
fn next(reader: &mut Reader<Machine>) -> Option<(Level, String, String, String)> {
    let mut bytes = [0; MAX_RECORD];
    let record = Record::read(reader.next(&mut bytes)?.expect("whole")).expect("sound");
    Some((record.level, record.target.into(), record.text.into(), record.fields.into()))
}

/// One test: the sink is the program's, and there is one program in a process.
#[test]
fn what_a_service_says_stands_in_its_ring() {
    let machine = start();
    records::install();
    log::warn!(target: "disk", "{} of {}", 3, 4);
    let mut reader = Reader::over(machine.clone());
    assert_eq!(next(&mut reader), Some((Level::Warn, "disk".into(), "3 of 4".into(), String::new())));
    assert_eq!(machine.0.borrow().rung, 1, "and the bell is rung");

    nexus_rt::log!("up {}", "again");
    assert_eq!(next(&mut reader), Some((Level::Info, "console".into(), "up again".into(), String::new())));
    assert_eq!(machine.0.borrow().lines, 1, "a line of the console is both");

    let (decision, reason) = (Decision::Deny, "EPERM");
    records::audit(&Audit { deed: "grant", decision, reason, caller: &"app/x", object: &"exec", dropped: 7 });
    let fields = "decision=deny\0reason=EPERM\0caller=app/x\0object=exec\0dropped=7\0";
    assert_eq!(next(&mut reader), Some((Level::Info, "audit".into(), "grant exec".into(), fields.into())));

    log::trace!("every step");
    assert_eq!(next(&mut reader), None, "tracing is for those who ask");

    log::info!("{}", "é".repeat(MAX_TEXT));
    let (_, _, text, _) = next(&mut reader).expect("recorded");
    assert_eq!(text, "é".repeat(MAX_TEXT / 2), "what is too long ends early, at a character");

    for _ in 0..1000 {
        log::error!("much");
    }
    let kept = std::iter::from_fn(|| next(&mut reader)).count() as u64;
    assert_eq!(kept + reader.dropped(), 1000, "what a full ring has no room for is counted");
}
