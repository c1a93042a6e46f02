//! The emulator's log of executed instructions, and of the registers before them.
//!
//! One line an instruction: `Trace 0: 0x7f50983d3b40 [0000000000000000/ffffffc080200052/0020f001/ff020201]`, the second
//! number in brackets is the address. With registers, lines of names and hexadecimal values follow it.
//!
//! Two lines of one address, one behind the other, are one instruction: it was begun anew, since the emulator had to look at
//! its clock first, or since an access to a device has to be the last of its block (QEMU, `accel/tcg`: `cpu_exec`,
//! `cpu_io_recompile`). With registers they are the same too; whoever asks for some addresses only must ask for enough of them
//! that nothing else comes twice with the same registers.

use std::io::{self, BufRead, BufReader, Read};

/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// Integer registers.
const REGISTERS: usize = 32;

/// Calls `each` with the address of every instruction.
pub(super) fn addresses(from: impl Read, mut each: impl FnMut(u64)) -> io::Result<()> {
    let mut last = None;
    lines(from, |line| {
        let now = address(line);
        if let Some(address) = now.filter(|_| now != last) {
            each(address);
            last = now;
        }
    })
}

/// The registers before an instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Registers {
    pub(super) address: u64,
    pub(super) integer: [u64; REGISTERS],
    pub(super) cause: u64,
}

/// Calls `each` with the registers before every instruction.
pub(super) fn registers(from: impl Read, mut each: impl FnMut(&Registers)) -> io::Result<()> {
    let (mut now, mut last) = (Registers::default(), Registers::default());
    let mut done = |now: &Registers| {
        if *now != last {
            each(now);
            last = *now;
        }
    };
    lines(from, |line| match address(line) {
        Some(address) => {
            done(&now);
            now.address = address;
        }
        None => take(line, &mut now),
    })?;
    done(&now);
    Ok(())
}

fn lines(from: impl Read, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut from = BufReader::with_capacity(CHUNK, from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        each(&line);
        line.clear();
    }
    Ok(())
}

fn address(line: &[u8]) -> Option<u64> {
    if !line.starts_with(b"Trace ") {
        return None;
    }
    let open = line.iter().position(|byte| *byte == b'[')?;
    hex(line.get(open + 18..open + 34)?)
}

fn hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | u64::from((*digit as char).to_digit(16)?)))
}

/// ` x0/zero  0000000000000000 x1/ra    ffffffc08020b14c …` or ` scause   0000000000000008`.
fn take(line: &[u8], into: &mut Registers) {
    let mut words = line.split(|byte| *byte == b' ' || *byte == b'\n').filter(|word| !word.is_empty());
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        let Some(value) = hex(value) else { return };
        if name == b"scause" {
            into.cause = value;
        } else if let Some(number) = name.strip_prefix(b"x").and_then(|rest| rest.split(|byte| *byte == b'/').next()) {
            let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<usize>().ok());
            if let Some(place) = number.and_then(|number| into.integer.get_mut(number)) {
                *place = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "Trace 0: 0x7f50983d3b40 [0000000000000000/ffffffc080200144/0020f001/ff020201] trap_entry\n \
        pc       ffffffc080200144\n scause   0000000000000008\n \
        x4/tp    0000000000000005 x5/t0    00000000000000ff x6/t1    0000000000000001 x7/t2    0000000000000011\n\
        Trace 0: 0x7f50983d3c80 [0000000000000000/ffffffc080200148/0020f001/ff020201] \n";

    #[test]
    fn every_address_is_read_and_one_begun_anew_is_one() {
        let line = "Trace 0: 0x7f50983d3c80 [0000000000000000/ffffffc080200148/0020f001/ff020201] \n";
        let mut found = Vec::new();
        addresses(format!("{LOG}{line}").as_bytes(), |address| found.push(address)).unwrap();
        assert_eq!(found, [0xffff_ffc0_8020_0144, 0xffff_ffc0_8020_0148]);
    }

    #[test]
    fn the_registers_before_an_instruction_are_read() {
        let mut found = Vec::new();
        let again = LOG.lines().last().unwrap();
        registers(format!("{LOG}{again}\n").as_bytes(), |now| found.push(*now)).unwrap();
        assert_eq!((found.len(), found[0].cause, found[0].integer[7], found[0].integer[5]), (2, 8, 17, 255));
    }
}
