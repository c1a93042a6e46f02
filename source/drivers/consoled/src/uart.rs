//! The 16550: registers to bytes.
//!
//! Register names and bits as in the PC16550D data sheet, section 8. Only what an interrupt-driven console needs: both
//! queues on, receive interrupt on while there is room, transmit interrupt on while there is something to send.

/// The device's registers, one byte each.
pub trait Registers {
    /// Reads a register.
    fn read(&mut self, register: u8) -> u8;
    /// Writes a register.
    fn write(&mut self, register: u8, value: u8);
}

/// Receiver buffer, transmitter holding.
const DATA: u8 = 0;
/// Interrupt enable.
const ENABLE: u8 = 1;
/// Interrupt identification when read, queue control when written.
const QUEUES: u8 = 2;
/// Line control.
const LINE: u8 = 3;
/// Modem control.
const MODEM: u8 = 4;
/// Line status.
const STATUS: u8 = 5;

const ENABLE_RECEIVE: u8 = 1;
const ENABLE_TRANSMIT: u8 = 2;
/// Queues on, with what they hold: keys may have been typed before. The device interrupts at eight received bytes, or when
/// fewer wait for four times a byte.
const QUEUES_ON: u8 = 0x81;
const EIGHT_BITS: u8 = 0x03;
/// Terminal ready, request to send, interrupt line connected.
const MODEM_ON: u8 = 0x0b;
const STATUS_RECEIVED: u8 = 0x01;
const STATUS_SENT: u8 = 0x20;
/// Bytes the transmit queue takes once it is empty.
const QUEUE: usize = 16;

/// Whether keys are wanted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// There is room for more.
    Wanted,
    /// They wait in the device.
    Held,
}

/// The driver of one device.
#[derive(Debug)]
pub struct Uart<R> {
    registers: R,
    enabled: u8,
    /// What the transmit queue still takes before its status must be read again.
    room: usize,
}

impl<R: Registers> Uart<R> {
    /// Sets the device up: eight bits, queues, receive interrupt. The keys that it holds stay, up to 16.
    pub fn new(mut registers: R) -> Self {
        registers.write(ENABLE, 0);
        registers.write(LINE, EIGHT_BITS);
        registers.write(QUEUES, QUEUES_ON);
        registers.write(MODEM, MODEM_ON);
        registers.write(ENABLE, ENABLE_RECEIVE);
        Uart { registers, enabled: ENABLE_RECEIVE, room: 0 }
    }

    /// The next byte that came in.
    pub fn receive(&mut self) -> Option<u8> {
        let ready = self.registers.read(STATUS) & STATUS_RECEIVED != 0;
        ready.then(|| self.registers.read(DATA))
    }

    /// Sends a byte; false if the device is still busy with earlier ones.
    pub fn transmit(&mut self, byte: u8) -> bool {
        if self.room == 0 {
            if self.registers.read(STATUS) & STATUS_SENT == 0 {
                return false;
            }
            self.room = QUEUE;
        }
        self.room -= 1;
        self.registers.write(DATA, byte);
        true
    }

    /// Says what the device shall interrupt for from now on; `pending` bytes wait to be sent.
    pub fn expect(&mut self, keys: Keys, pending: usize) {
        let receive = if keys == Keys::Wanted { ENABLE_RECEIVE } else { 0 };
        let transmit = if pending > 0 { ENABLE_TRANSMIT } else { 0 };
        if self.enabled != receive | transmit {
            self.enabled = receive | transmit;
            self.registers.write(ENABLE, self.enabled);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;

    /// A device whose other end is the test.
    #[derive(Debug, Default)]
    pub(crate) struct Fake {
        pub(crate) keys: VecDeque<u8>,
        pub(crate) screen: Vec<u8>,
        pub(crate) busy: bool,
        pub(crate) enabled: u8,
        set_up: Vec<(u8, u8)>,
        queued: usize,
    }

    impl Fake {
        /// The queue is sent.
        pub(crate) fn drain(&mut self) {
            self.queued = 0;
        }
    }

    impl Registers for Rc<RefCell<Fake>> {
        fn read(&mut self, register: u8) -> u8 {
            let mut fake = self.borrow_mut();
            match register {
                DATA => fake.keys.pop_front().expect("read without a byte"),
                STATUS => {
                    let sent = !fake.busy && fake.queued == 0;
                    u8::from(!fake.keys.is_empty()) | if sent { STATUS_SENT } else { 0 }
                }
                other => panic!("read of register {other}"),
            }
        }

        fn write(&mut self, register: u8, value: u8) {
            let mut fake = self.borrow_mut();
            match register {
                DATA => {
                    assert!(!fake.busy && fake.queued < QUEUE, "the queue overran");
                    fake.queued += 1;
                    fake.screen.push(value);
                }
                ENABLE => fake.enabled = value,
                other => fake.set_up.push((other, value)),
            }
        }
    }

    fn device() -> (Rc<RefCell<Fake>>, Uart<Rc<RefCell<Fake>>>) {
        let fake = Rc::new(RefCell::new(Fake::default()));
        (fake.clone(), Uart::new(fake))
    }

    #[test]
    fn set_up_turns_on_queues_and_the_receive_interrupt_last() {
        let (fake, _) = device();
        assert_eq!(fake.borrow().set_up, [(LINE, 0x03), (QUEUES, 0x81), (MODEM, 0x0b)]);
        assert_eq!(fake.borrow().enabled, ENABLE_RECEIVE);
    }

    #[test]
    fn bytes_come_in_order_until_there_is_none() {
        let (fake, mut uart) = device();
        fake.borrow_mut().keys.extend(b"ab");
        assert_eq!([uart.receive(), uart.receive(), uart.receive()], [Some(b'a'), Some(b'b'), None]);
    }

    #[test]
    fn the_queue_is_filled_once_and_again_only_when_it_is_sent() {
        let (fake, mut uart) = device();
        let sent = (0..40).filter(|byte| uart.transmit(*byte)).count();
        assert_eq!(sent, QUEUE);
        fake.borrow_mut().drain();
        assert!(uart.transmit(99));
        assert_eq!(fake.borrow().screen.last(), Some(&99));
    }

    #[test]
    fn interrupts_follow_what_is_wanted() {
        let (fake, mut uart) = device();
        for (keys, pending, bits) in
            [(Keys::Wanted, 1, 3), (Keys::Held, 1, 2), (Keys::Held, 0, 0), (Keys::Wanted, 0, 1)]
        {
            uart.expect(keys, pending);
            assert_eq!(fake.borrow().enabled, bits);
        }
    }
}
