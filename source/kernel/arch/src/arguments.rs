//! Boot arguments of the kernel: words of the command line. Programs read the whole line themselves.

/// What the boot arguments ask of the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// `panic=exit`: end with a status where a panic would reset.
    pub exit_on_panic: bool,
    /// `bootstat`: print what boot cost.
    pub statistics: bool,
    /// `undirected`: no message goes straight to its partner, so that the detour can be measured; `trace`: nor by the detour.
    pub passage: Passage,
    /// `trace`: events are recorded.
    pub tracing: bool,
    /// `kselftest`: run the kernel's own tests of several CPUs.
    pub self_tests: bool,
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

impl Arguments {
    /// Reads the line; `unknown` is called for each word that nobody knows, which is then ignored.
    pub fn read(line: &[u8], mut unknown: impl FnMut(&[u8])) -> Arguments {
        let mut arguments = Arguments::default();
        for word in line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            let is = |known: &str| word == known.as_bytes();
            match word {
                _ if is("panic=exit") => arguments.exit_on_panic = true,
                _ if is("panic=reset") => arguments.exit_on_panic = false,
                _ if is("undirected") => arguments.passage = Passage::Detour,
                _ if is("trace") => (arguments.tracing, arguments.passage) = (true, Passage::General),
                _ if is("kselftest") => arguments.self_tests = true,
                _ if is("bootstat") => arguments.statistics = true,
                // Programs of the boot image read it.
                _ if is("selftest") => {}
                _ if word.starts_with(b"selftest=") => {}
                _ => unknown(word),
            }
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn known_words_are_read_and_the_last_one_counts() {
        let line = b" panic=exit  bootstat kselftest undirected";
        let read = Arguments::read(line, |word| panic!("{word:?}"));
        let (exit_on_panic, statistics, self_tests, passage) = (true, true, true, Passage::Detour);
        assert_eq!(read, Arguments { exit_on_panic, statistics, passage, tracing: false, self_tests });
        assert!(Arguments::read(b"trace", |_| ()).tracing);
        assert_eq!(Arguments::read(b"trace", |_| ()).passage, Passage::General, "the straight way has no trace points");
        assert_eq!(Arguments::read(b"panic=exit panic=reset", |_| ()), Arguments::default());
    }

    #[test]
    fn words_of_programs_are_no_mistake() {
        Arguments::read(b"selftest selftest=all", |word| panic!("{word:?}"));
    }

    #[test]
    fn unknown_words_are_reported_and_ignored() {
        let mut words = Vec::new();
        let read = Arguments::read(b"panic=never defect=panic refuse=x bootstat=1 \x7f \xe4\tx ", |word| {
            words.push(word.to_vec())
        });
        assert_eq!(read, Arguments::default());
        assert_eq!(
            words,
            [b"panic=never" as &[u8], b"defect=panic", b"refuse=x", b"bootstat=1", b"\x7f", b"\xe4", b"x"]
        );
    }
}
