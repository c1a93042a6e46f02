//! The table of attacks, read from its text.

use core::fmt;

use nexus_abi::Error;
use nexus_proto::exec::Fate;

/// One attack and how it must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The words with which it is started.
    pub words: &'static str,
    /// How it must end.
    pub end: End,
}

/// How an attack ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything was refused with this error.
    Refused(Error),
    /// It found no harm done.
    Held,
    /// A fault record: one of two causes, and the address where the row names one.
    Fault([u64; 2], Option<u64>),
    /// It had to be ended.
    Killed,
}

/// Every row of a table. A line that is none is left out here and missed by the judge, who reads the same text.
pub fn rows(text: &'static str) -> impl Iterator<Item = Row> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut columns = line.split('|').map(str::trim);
        let (words, end) = (columns.next()?, columns.next()?);
        Some(Row { words, end: End::named(end)? })
    })
}

impl End {
    /// The end that the table's words mean.
    fn named(text: &str) -> Option<End> {
        let mut words = text.split_whitespace();
        match (words.next()?, words.next(), words.next()) {
            ("held", None, _) => Some(End::Held),
            ("killed", None, _) => Some(End::Killed),
            ("fault", Some(cause), address) => {
                let address = match address {
                    None => None,
                    Some(text) => Some(u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()?),
                };
                let (one, other) = cause.split_once(',').unwrap_or((cause, cause));
                Some(End::Fault([one.parse().ok()?, other.parse().ok()?], address))
            }
            (name, None, _) => Error::ALL.iter().find(|error| error.name() == name).map(|&error| End::Refused(error)),
            _ => None,
        }
    }

    /// Whether a program that ended so ended as the row says.
    pub(crate) fn is(self, fate: Fate) -> bool {
        match (self, fate) {
            (End::Refused(error), Fate::Exited(status)) => status == i64::from(error.number()),
            (End::Held, Fate::Exited(status)) => status == 0,
            (End::Fault(causes, at), Fate::Faulted { cause, address, .. }) => {
                causes.contains(&cause) && at.is_none_or(|at| at == address)
            }
            (End::Killed, Fate::Killed(_)) => true,
            _ => false,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            End::Refused(error) => f.write_str(error.name()),
            End::Held => f.write_str("held"),
            End::Fault([one, other], address) => {
                write!(f, "fault {one}")?;
                if one != other {
                    write!(f, ",{other}")?;
                }
                address.map_or(Ok(()), |address| write!(f, " {address:#x}"))
            }
            End::Killed => f.write_str("killed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_without_its_comments() {
        let text = "# x | held | y\n\nload 0x1 | fault 13 0x1 | a\nnumbers | ENOSYS | b\nno row\n";
        let read: alloc::vec::Vec<Row> = rows(text).collect();
        let load = Row { words: "load 0x1", end: End::Fault([13; 2], Some(1)) };
        assert_eq!(read, [load, Row { words: "numbers", end: End::Refused(Error::NoCall) }]);
    }

    #[test]
    fn an_end_prints_as_the_table_spells_it() {
        for text in ["EINVAL", "held", "fault 2", "fault 4,6", "fault 13 0xffffffc080200000", "killed"] {
            let end = End::named(text).expect("a word of the table");
            assert_eq!(alloc::format!("{end}"), text);
        }
        for text in ["", "EWHAT", "fault", "fault x", "fault 1 2", "held x"] {
            assert_eq!(End::named(text), None, "{text}");
        }
    }

    #[test]
    fn a_fate_is_compared_in_kind_status_cause_and_address() {
        let fault = |cause, address| Fate::Faulted { cause, pc: 4, address };
        assert!(End::Refused(Error::Invalid).is(Fate::Exited(1)) && !End::Refused(Error::Invalid).is(Fate::Exited(2)));
        assert!(End::Held.is(Fate::Exited(0)) && !End::Held.is(Fate::Killed(0)));
        assert!(End::Fault([13; 2], Some(1)).is(fault(13, 1)) && !End::Fault([13; 2], Some(1)).is(fault(13, 2)));
        assert!(End::Fault([13, 15], None).is(fault(15, 2)) && !End::Fault([13; 2], None).is(fault(15, 2)));
        assert!(End::Killed.is(Fate::Killed(0)) && !End::Killed.is(Fate::Exited(0)));
    }

    #[test]
    fn every_line_of_the_table_is_a_row() {
        let lines = crate::ROWS.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        assert_eq!(rows(crate::ROWS).count(), lines.count());
    }
}
