//! Structured mutations: what tends to be wrong with bytes, several at a time.

use crate::{Parser, Sample};

/// Changes of one mutation at most.
const CHANGES: u64 = 6;
/// Bytes that one change inserts, copies or removes at most.
const RUN: u64 = 64;
/// Bytes in which a header stands.
const HEADER: usize = 384;
/// Longest input that is made.
const LONGEST: usize = 1 << 16;
/// Numbers that bounds are made of.
const NUMBERS: [u64; 20] =
    [0, 1, 2, 7, 8, 24, 25, 64, 255, 256, 4032, 4095, 4096, 4097, 0xffff, 1 << 20, 1 << 31, 1 << 38, 1 << 63, u64::MAX];

/// SplitMix64.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Makes an input from the corpus in `into`.
pub(crate) fn mutate(parser: &Parser, corpus: &[Sample], dice: &mut Dice, into: &mut Vec<u8>) {
    into.clear();
    into.extend_from_slice(&corpus[dice.below(corpus.len())].bytes);
    for _ in 0..1 + dice.next() % CHANGES {
        change(parser, corpus, dice, into);
    }
    into.truncate(LONGEST);
    if let Some(mend) = parser.mend
        && dice.below(8) > 0
    {
        mend(into);
    }
}

/// One change.
fn change(parser: &Parser, corpus: &[Sample], dice: &mut Dice, bytes: &mut Vec<u8>) {
    // Half of the changes hit the beginning: that is where headers are.
    let room = if dice.below(2) == 0 { bytes.len().min(HEADER) } else { bytes.len() };
    let at = dice.below(room);
    match dice.below(10) {
        0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
        2 if !bytes.is_empty() => bytes[at] = dice.next() as u8,
        3 => number(dice, bytes, at),
        4 => number(dice, bytes, at - at % 8),
        5 => bytes.truncate(at),
        6 => {
            let run = 1 + dice.below(RUN as usize);
            bytes.splice(at..at, std::iter::repeat_n(dice.next() as u8, run));
        }
        7 => drop(bytes.drain(at..(at + 1 + dice.below(RUN as usize)).min(bytes.len()))),
        8 if !parser.tokens.is_empty() => {
            let token = parser.tokens[dice.below(parser.tokens.len())];
            bytes.splice(at..at, token.bytes());
        }
        _ => splice(corpus, dice, bytes, at),
    }
}

/// Writes a number of some size and order.
fn number(dice: &mut Dice, bytes: &mut [u8], at: usize) {
    let value = NUMBERS[dice.below(NUMBERS.len())].wrapping_add((dice.below(3) as u64).wrapping_sub(1));
    let size = [1, 2, 4, 8][dice.below(4)];
    let written = match dice.below(2) {
        0 => value.to_le_bytes()[..size].to_vec(),
        _ => value.to_be_bytes()[8 - size..].to_vec(),
    };
    if let Some(place) = bytes.get_mut(at..at + size) {
        place.copy_from_slice(&written);
    }
}

/// Puts a piece of some file in the place of another piece.
fn splice(corpus: &[Sample], dice: &mut Dice, bytes: &mut Vec<u8>, at: usize) {
    let source = &corpus[dice.below(corpus.len())].bytes;
    let from = dice.below(source.len());
    let piece = &source[from..(from + 1 + dice.below(RUN as usize)).min(source.len())];
    let end = (at + dice.below(piece.len() + 1)).min(bytes.len());
    bytes.splice(at.min(end)..end, piece.iter().copied());
}
