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
    /// `defect=…`: kernel or machine behave as if they had this defect, for proofs that a check can fail.
    pub defect: Defect,
    /// `refuse=<number>`: the typed system call that answers `ENOSYS`, likewise; 0: none.
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

macro_rules! defects {
    ($($(#[$doc:meta])* $name:ident $word:literal;)*) => {
        /// A defect to show.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum Defect {
            /// None.
            #[default]
            None,
            $($(#[$doc])* $name,)*
        }

        /// The defects by the words that ask for them.
        const DEFECTS: &[(&str, Defect)] = &[$(($word, Defect::$name),)*];
    };
}

defects! {
    /// Only the boot hart comes.
    LostHart "lost-hart";
    /// The firmware starts harts where the first one began.
    OldEntry "old-entry";
    /// Interrupts of other harts are never sent.
    LostKick "lost-kick";
    /// Interrupts of other harts are sent even where a self-test has them lost.
    StrayKick "stray-kick";
    /// Threads stay on the CPU that made them.
    NoSpread "no-spread";
    /// Who is waited for runs in its own class.
    NoDonation "no-donation";
    /// The timer interrupts a second late.
    LateTimer "late-timer";
    /// All threads use the float registers as they find them.
    SharedFloat "shared-float";
    /// The kernel panics.
    Panic "panic";
    /// The kernel's stack overflows.
    Stack "stack";
    /// That of each further hart does.
    FurtherStack "further-stack";
    /// The kernel writes to its own text.
    WriteText "write-text";
    /// The kernel writes to its constants.
    WriteConstants "write-constants";
    /// The kernel writes to the boot image.
    WriteImage "write-image";
    /// The kernel jumps into its data.
    RunData "run-data";
    /// The kernel jumps into a frame of the pool.
    RunFrame "run-frame";
    /// The kernel reads where nothing is mapped.
    ReadNothing "read-nothing";
}

impl Defect {
    fn named(word: &str) -> Option<Defect> {
        let name = word.strip_prefix("defect=")?;
        DEFECTS.iter().find(|(known, _)| *known == name).map(|&(_, defect)| defect)
    }
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
                other => match (Defect::named(other), refused(other)) {
                    (Some(defect), _) => arguments.defect = defect,
                    (None, Some(number)) => arguments.refused = number,
                    (None, None) => unknown(other),
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
        let line = " panic=exit  bootstat kselftest undirected defect=late-timer refuse=76";
        let read = Arguments::read(line, |word| panic!("{word}"));
        let (after_panic, statistics, passage) = (AfterPanic::Exit, Asked::Yes, Passage::Detour);
        let (self_tests, defect) = (Asked::Yes, Defect::LateTimer);
        assert_eq!(
            read,
            Arguments { after_panic, statistics, passage, tracing: Asked::No, self_tests, defect, refused: 76 }
        );
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
        let read = Arguments::read("panic=never defect=none refuse=x bootstat=1 \u{7f} x", |word| {
            words.push(word.to_string())
        });
        assert_eq!(read, Arguments::default());
        assert_eq!(words, ["panic=never", "defect=none", "refuse=x", "bootstat=1", "\u{7f}", "x"]);
    }
}
