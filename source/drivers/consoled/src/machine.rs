//! The console's device and kernel, for real.

use crate::{Board, Consoled, LogChunk, Registers, Uart};
use nexus_abi::syscall::{ConsoleClaim, Derive, Inspect, IrqAck, Notify};
use nexus_abi::{Error, Handle, Rights};
use nexus_rt::kernel::invoke;
use nexus_rt::memory::{Access, View};
use nexus_rt::{Server, env, log};

/// What the manifest calls the device.
const DEVICE: &str = "uart";
const IRQ: &str = "uart.irq";
const SIGNAL: &str = "uart.signal";
/// The bit of new bytes in the ring; the device's own is 1.
const RING_BIT: u64 = 2;

/// The device's registers behind its window.
#[derive(Debug)]
pub struct Window(View);

impl Registers for Window {
    fn read(&mut self, register: u8) -> u8 {
        self.0.load_u8(register.into()).expect("eight registers lie in the window's first page")
    }

    fn write(&mut self, register: u8, value: u8) {
        self.0.store_u8(register.into(), value).expect("eight registers lie in the window's first page");
    }
}

/// The kernel behind the console.
#[derive(Debug)]
pub struct Ring {
    irq: Handle,
    log: Handle,
    endpoint: Handle,
    cursor: u64,
}

impl Board for Ring {
    fn log(&mut self) -> Result<LogChunk, Error> {
        let (cursor, lost, bytes) = log::read(self.log, self.cursor)?;
        self.cursor = cursor;
        Ok(LogChunk { bytes, lost })
    }

    fn interrupt_done(&mut self) {
        // The line is ours as long as we live; an error has nobody to tell.
        let _ = invoke(IrqAck { irq: self.irq });
    }

    fn notify(&mut self, events: Handle, bits: u64) {
        // A session that is gone needs no signal.
        let _ = invoke(Notify { notification: events, bits });
    }

    fn lives(&mut self, events: Handle) -> bool {
        invoke(Inspect { handle: events }).is_ok()
    }

    fn lend(&mut self, badge: u64) -> Result<Handle, Error> {
        let rights = Rights::USE.union(Rights::TRANSFER);
        invoke(Derive { source: self.endpoint, rights, badge }).map(|derived| derived.handle)
    }
}

/// Takes the device and the ring over; answers the console and the loop to serve it with.
pub fn open() -> Result<(Consoled<Window, Ring>, Server), Error> {
    let window = View::map(env::handle(DEVICE)?, 0, 1, Access::Write)?;
    let (irq, log, signal) = (env::handle(IRQ)?, env::handle(env::LOG)?, env::handle(SIGNAL)?);
    let endpoint = env::handle(env::SERVE)?;
    let server = Server::over(endpoint).bound_to(signal)?;
    let cursor = invoke(ConsoleClaim { log, notification: signal, bits: RING_BIT })?.cursor;
    let console = Consoled::new(Uart::new(Window(window)), Ring { irq, log, endpoint, cursor });
    invoke(IrqAck { irq })?;
    Ok((console, server))
}
