//! Boot arguments of the kernel: words of the command line. Programs read the whole line themselves.

/// What the boot arguments ask of the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// `panic=exit`: end with a status where a panic would reset.
    pub after_panic: AfterPanic,
    /// `bootstat`: print what boot cost.
    pub statistics: Asked,
    /// `undirected`: no message goes straight to its partner, so that the detour can be measured; `trace`: nor by the detour.
    pub passage: Passage,
    /// `trace`: events are recorded.
    pub tracing: Asked,
    /// `kselftest`: run the kernel's own tests of several CPUs.
    pub self_tests: Asked,
    /// `refuse=<number>`: the typed system call that answers `ENOSYS`, for proofs that a check can fail; 0: none.
    pub refused: u64,
}

/// Whether the line asks for something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// It does not.
    #[default]
    No,
    /// It does.
    Yes,
}

/// How a panic ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterPanic {
    /// The machine starts again.
    #[default]
    Reset,
    /// The machine stops with a status.
    Exit,
}

/// Which way a message may go whose partner waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passage {
    /// Any: the straight one where it can.
    #[default]
    Direct,
    /// None but the detour and the general one.
    Detour,
    /// Only the general one.
    General,
}

/// The number of `refuse=<number>`.
fn refused(word: &str) -> Option<u64> {
    word.strip_prefix("refuse=")?.parse().ok()
}

/// Words that programs of the boot image read; the kernel knows only that they are no mistake.
const OTHERS: [&str; 1] = ["selftest"];

impl Arguments {
    /// Reads the line; `unknown` is called for each word that nobody knows, which is then ignored.
    pub fn read(line: &str, mut unknown: impl FnMut(&str)) -> Arguments {
        let mut arguments = Arguments::default();
        for word in line.split_ascii_whitespace() {
            match word {
                "panic=exit" => arguments.after_panic = AfterPanic::Exit,
                "panic=reset" => arguments.after_panic = AfterPanic::Reset,
                "undirected" => arguments.passage = Passage::Detour,
                "trace" => (arguments.tracing, arguments.passage) = (Asked::Yes, Passage::General),
                "kselftest" => arguments.self_tests = Asked::Yes,
                "bootstat" => arguments.statistics = Asked::Yes,
                other if OTHERS.contains(&other.split('=').next().unwrap_or(other)) => {}
                other => match refused(other) {
                    Some(number) => arguments.refused = number,
                    None => unknown(other),
                },
            }
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{string::ToString, vec::Vec};

    #[test]
    fn known_words_are_read_and_the_last_one_counts() {
        let line = " panic=exit  bootstat kselftest undirected refuse=76";
        let read = Arguments::read(line, |word| panic!("{word}"));
        let (after_panic, statistics, passage) = (AfterPanic::Exit, Asked::Yes, Passage::Detour);
        let self_tests = Asked::Yes;
        assert_eq!(read, Arguments { after_panic, statistics, passage, tracing: Asked::No, self_tests, refused: 76 });
        assert_eq!(Arguments::read("trace", |_| ()).tracing, Asked::Yes);
        assert_eq!(Arguments::read("trace", |_| ()).passage, Passage::General, "the straight way has no trace points");
        assert_eq!(Arguments::read("panic=exit panic=reset", |_| ()), Arguments::default());
    }

    #[test]
    fn words_of_programs_are_no_mistake() {
        Arguments::read("selftest selftest=all", |word| panic!("{word}"));
    }

    #[test]
    fn unknown_words_are_reported_and_ignored() {
        let mut words = Vec::new();
        let read = Arguments::read("panic=never defect=panic refuse=x bootstat=1 \u{7f} x", |word| {
            words.push(word.to_string())
        });
        assert_eq!(read, Arguments::default());
        assert_eq!(words, ["panic=never", "defect=panic", "refuse=x", "bootstat=1", "\u{7f}", "x"]);
    }
}
