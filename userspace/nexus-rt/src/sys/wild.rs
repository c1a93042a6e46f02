//! What a program may try with any address or register, for proofs that it ends in a fault record and nothing else.

/// One instruction that user mode may not get away with, wherever it points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wild {
    /// Loads a doubleword.
    Load(u64),
    /// Stores a doubleword of zeros.
    Store(u64),
    /// Jumps.
    Fetch(u64),
    /// Adds to a doubleword atomically.
    Add(u64),
    /// Loads a doubleword and reserves it.
    Reserve(u64),
    /// Reads a control register, by its number.
    ReadRegister(u64),
    /// Writes a control register, by its number.
    WriteRegister(u64),
    /// Returns from a trap that there was none of, to the kernel's own caller.
    Sret,
    /// Likewise, of the firmware.
    Mret,
    /// Stops the hart until an interrupt.
    Wfi,
    /// Forgets translations.
    Fence,
    /// Executes zeros.
    Zeros,
}

impl Wild {
    /// The thing that words name: `load 0x0`, `csr-read 0x180`, `sret`.
    pub fn named(name: &str, operand: Option<&str>) -> Option<Wild> {
        let number = || {
            let text = operand?.strip_prefix("0x")?;
            u64::from_str_radix(text, 16).ok()
        };
        Some(match name {
            "load" => Wild::Load(number()?),
            "store" => Wild::Store(number()?),
            "fetch" => Wild::Fetch(number()?),
            "add" => Wild::Add(number()?),
            "reserve" => Wild::Reserve(number()?),
            "csr-read" => Wild::ReadRegister(number()?),
            "csr-write" => Wild::WriteRegister(number()?),
            "sret" => Wild::Sret,
            "mret" => Wild::Mret,
            "wfi" => Wild::Wfi,
            "sfence" => Wild::Fence,
            "zeros" => Wild::Zeros,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_and_without_an_operand_are_read_and_others_refused() {
        assert_eq!(Wild::named("load", Some("0x10")), Some(Wild::Load(16)));
        assert_eq!(Wild::named("csr-write", Some("0x180")), Some(Wild::WriteRegister(0x180)));
        assert_eq!(Wild::named("sret", None), Some(Wild::Sret));
        for (name, operand) in [("load", None), ("load", Some("10")), ("load", Some("0xg")), ("jump", Some("0x0"))] {
            assert_eq!(Wild::named(name, operand), None, "{name} {operand:?}");
        }
    }
}
