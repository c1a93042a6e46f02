//! What the kernel prints: lines, piece by piece, each piece byte by byte.

/// What a line is made of.
pub trait Piece {
    /// Gives each of its bytes to `put`.
    fn spell(self, put: &impl Fn(u8));
}

impl Piece for u8 {
    fn spell(self, put: &impl Fn(u8)) {
        put(self);
    }
}

impl Piece for &[u8] {
    #[inline(never)]
    fn spell(self, put: &impl Fn(u8)) {
        self.iter().copied().for_each(put);
    }
}

impl Piece for &str {
    fn spell(self, put: &impl Fn(u8)) {
        self.as_bytes().spell(put);
    }
}

/// In decimal.
impl Piece for u64 {
    #[inline(never)]
    fn spell(self, put: &impl Fn(u8)) {
        let rest = self / 10;
        if rest > 0 {
            rest.spell(put);
        }
        put(b'0' + (self - 10 * rest) as u8);
    }
}

/// A number in hexadecimal, of so many digits at least.
pub struct Hex(pub u64, pub u32);

impl Piece for Hex {
    #[inline(never)]
    fn spell(self, put: &impl Fn(u8)) {
        let Hex(number, digits) = self;
        if number > 15 || digits > 1 {
            Hex(number >> 4, digits.saturating_sub(1)).spell(put);
        }
        put(b"0123456789abcdef"[(number & 15) as usize]);
    }
}

/// Spells pieces, one after another, to a function that takes their bytes.
#[macro_export]
macro_rules! spell {
    ($put:expr, $($piece:expr),+) => {{
        let put = &$put;
        $($crate::text::Piece::spell($piece, put);)+
    }};
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, string::String};

    #[test]
    fn a_line_is_its_pieces_one_after_another() {
        let line = RefCell::new(String::new());
        let put = |byte| line.borrow_mut().push(char::from(byte));
        spell!(put, "decimal ", 0_u64, b' ', 9_u64, b' ', 10_u64, b' ', 907_u64, b' ', u64::MAX);
        spell!(put, ", hexadecimal ", Hex(0, 1), b' ', Hex(0xa0f, 1), b' ', Hex(u64::MAX, 1));
        spell!(put, ", wide ", Hex(0, 16), b' ', Hex(0xa0f, 4), b' ', Hex(0xa0f, 3), b' ', Hex(0xa0f, 2), "\n");
        let decimal = "decimal 0 9 10 907 18446744073709551615, hexadecimal 0 a0f ffffffffffffffff";
        assert_eq!(line.take(), std::format!("{decimal}, wide 0000000000000000 0a0f a0f a0f\n"));
    }
}
