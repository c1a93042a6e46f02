//! The kernel's text as the trace needs it: which instruction lies where, and what it does to memory and machine.
//!
//! Source: RISC-V Unprivileged Architecture, chapters RV32/64I, "A" and "C", and Privileged Architecture, chapter 2 (CSR
//! numbers). Only what is counted is told apart.

use elf::ElfBytes;
use elf::abi::{PF_X, PT_LOAD};
use elf::endian::LittleEndian;
use std::collections::BTreeMap;

/// What is counted of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// Reads memory.
    Load,
    /// Writes memory.
    Store,
    /// A swap of words with acquire order: the only ones that may take a lock. Which registers hold address and value.
    Acquire { address: u8, value: u8 },
    /// A swap of words with release order: likewise, that may give one back.
    Release { address: u8, value: u8 },
    /// Any other atomic access.
    Atomic,
    /// Writes the translation register.
    Satp,
    /// Reads which interrupts are pending.
    Look,
    /// Any other access to a control register.
    Register,
    /// Forgets translations.
    Fence,
    /// Sleeps until an interrupt.
    Sleep,
    /// Back to user mode.
    Leave,
    /// Anything else.
    Other,
}

const SATP: u32 = 0x180;
const SIP: u32 = 0x144;

/// What the instruction does that begins with these bytes; only the low half counts if it is a short one.
pub(super) fn does(word: u32) -> Does {
    if word & 3 != 3 {
        return short(word as u16);
    }
    let (kind, field) = (word >> 12 & 7, |at: u32| (word >> at & 31) as u8);
    match word & 0x7f {
        0x03 | 0x07 => Does::Load,
        0x23 | 0x27 => Does::Store,
        0x2f => match (word >> 27, kind, word >> 25 & 3) {
            (1, 2, 0b10) => Does::Acquire { address: field(15), value: field(20) },
            (1, 2, 0b01) => Does::Release { address: field(15), value: field(20) },
            _ => Does::Atomic,
        },
        0x73 if kind != 0 => {
            // csrrs and csrrc with register 0 only read; csrrsi and csrrci with 0 likewise.
            let writes = kind & 3 == 1 || field(15) != 0;
            match word >> 20 {
                SATP if writes => Does::Satp,
                SIP if !writes => Does::Look,
                _ => Does::Register,
            }
        }
        0x73 => match (word >> 25, word >> 20) {
            (0x09, _) => Does::Fence,
            (_, 0x102) => Does::Leave,
            (_, 0x105) => Does::Sleep,
            _ => Does::Other,
        },
        _ => Does::Other,
    }
}

/// The short ones: quadrants 0 and 2 hold loads and stores, by `funct3`.
fn short(half: u16) -> Does {
    match (half & 3, half >> 13) {
        (0 | 2, 1..=3) => Does::Load,
        (0 | 2, 5..=7) => Does::Store,
        _ => Does::Other,
    }
}

/// The kernel's text and names.
#[derive(Debug)]
pub(super) struct Code {
    /// Address of the first byte.
    pub(super) start: u64,
    physical: u64,
    bytes: Vec<u8>,
    names: BTreeMap<u64, String>,
}

impl Code {
    /// Out of the kernel's file.
    pub(super) fn read(file: &[u8]) -> Option<Code> {
        let elf = ElfBytes::<LittleEndian>::minimal_parse(file).ok()?;
        let text = elf.segments()?.iter().find(|part| part.p_type == PT_LOAD && part.p_flags & PF_X != 0)?;
        let bytes = elf.segment_data(&text).ok()?.to_vec();
        let (symbols, strings) = elf.symbol_table().ok()??;
        let inside =
            symbols.iter().filter(|symbol| (text.p_vaddr..text.p_vaddr + text.p_filesz).contains(&symbol.st_value));
        let named = inside.filter_map(|symbol| Some((symbol.st_value, strings.get(symbol.st_name as usize).ok()?)));
        let names =
            named.filter(|(_, name)| !name.is_empty() && !name.starts_with(['$', '.'])).collect::<BTreeMap<_, _>>();
        let names = names.into_iter().map(|(at, name)| (at, name.to_owned())).collect();
        Some(Code { start: text.p_vaddr, physical: text.p_paddr, bytes, names })
    }

    /// Where the first byte lies before translation is on: the first instruction.
    pub(super) fn physical(&self) -> u64 {
        self.physical
    }

    /// Where something is done.
    pub(super) fn places(&self, what: Does) -> impl Iterator<Item = u64> {
        let places = self.doings().into_iter().zip(0..).filter(move |(does, _)| *does == what);
        let start = self.start;
        places.map(move |(_, half)| start + 2 * half)
    }

    /// Behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// What each place does, by the distance of its address from the start, in halves of a word.
    pub(super) fn doings(&self) -> Vec<Does> {
        let half =
            |at: usize| self.bytes.get(at..at + 2).map_or(0, |pair| u32::from(u16::from_le_bytes([pair[0], pair[1]])));
        (0..self.bytes.len()).step_by(2).map(|at| does(half(at) | half(at + 2) << 16)).collect()
    }

    /// Where the symbol of this name lies.
    pub(super) fn place(&self, name: &str) -> Option<u64> {
        self.names.iter().find_map(|(at, other)| (other == name).then_some(*at))
    }

    /// The symbol at or before an address.
    pub(super) fn around(&self, address: u64) -> &str {
        self.names.range(..=address).next_back().map_or("", |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_and_stores_of_both_lengths_are_told_apart() {
        // ld a0,0(a1); sd a0,8(sp); c.ld a0,0(a1); c.sdsp ra,8(sp); add a0,a0,a1; c.mv a0,a1
        let words = [0x0005_b503, 0x00a1_3423, 0x6188, 0xe406, 0x00b5_0533, 0x852e];
        let found = words.map(does);
        assert_eq!(found, [Does::Load, Does::Store, Does::Load, Does::Store, Does::Other, Does::Other]);
    }

    #[test]
    fn locks_are_swaps_of_words_with_one_order() {
        // amoswap.w.aq a0,a1,(a2); amoswap.w.rl zero,zero,(a2); amoswap.w.aqrl a0,a1,(a2); amoadd.w a0,a1,(a2)
        assert_eq!(does(0x0cb6_252f), Does::Acquire { address: 12, value: 11 });
        assert_eq!(does(0x0a06_202f), Does::Release { address: 12, value: 0 });
        assert_eq!([does(0x0eb6_252f), does(0x00b6_252f)], [Does::Atomic; 2]);
    }

    #[test]
    fn control_registers_are_told_apart() {
        // csrw satp,t6; csrr a0,satp; csrr a0,sip; csrw sepc,t6; sfence.vma; wfi; sret; ecall
        let words = [0x180f_9073, 0x1800_2573, 0x1440_2573, 0x141f_9073, 0x1200_0073, 0x1050_0073, 0x1020_0073, 0x73];
        let found = words.map(does);
        let expected = [Does::Satp, Does::Register, Does::Look, Does::Register, Does::Fence, Does::Sleep, Does::Leave];
        assert_eq!((&found[..7], found[7]), (&expected[..], Does::Other));
    }
}
