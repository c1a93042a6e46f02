//! The examination: the corpus itself, each truncation, each flipped bit, seeded mutations.

use crate::damage::verdict;
use crate::mutate::{Dice, mutate};
use crate::{Parser, Report, Sample, Verdict};

/// How much is tried beside the corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Each truncation and each flipped bit of each file, and this many mutations from a seed.
    Everything {
        /// How many mutations.
        mutations: u64,
        /// What they come from.
        seed: u64,
    },
    /// Mutations alone.
    Mutations {
        /// How many.
        mutations: u64,
        /// What they come from.
        seed: u64,
    },
}

/// Examines a parser. The first input that is a finding ends it: why, and the bytes.
///
/// # Errors
/// What was found: a panic, an unsound acceptance, an undeclared error, a file that is not read as its name says.
pub fn examine(parser: &Parser, corpus: &[Sample], effort: Effort) -> Result<Report, String> {
    let mut report = Report { parser: parser.name, ..Report::default() };
    let borrowed = (parser.borrowed)();
    for sample in corpus.iter().chain(&borrowed) {
        let verdict = ask(parser, &sample.bytes)?;
        let expected = match verdict {
            Verdict::Accepted => "accept-".to_string(),
            Verdict::Refused(error) => format!("{error}-"),
        };
        if !sample.name.starts_with(&expected) {
            return Err(format!("{}/{}: {verdict:?}", parser.name, sample.name));
        }
        report.files += 1;
        report.note(verdict);
    }
    let (mutations, seed) = match effort {
        Effort::Everything { mutations, seed } => {
            corpus.iter().try_for_each(|sample| damage(parser, sample, &mut report))?;
            (mutations, seed)
        }
        Effort::Mutations { mutations, seed } => (mutations, seed),
    };
    let all: Vec<Sample> = corpus.iter().chain(&borrowed).cloned().collect();
    let (mut dice, mut bytes) = (Dice(seed), Vec::new());
    for _ in 0..mutations {
        mutate(parser, &all, &mut dice, &mut bytes);
        report.mutations += 1;
        report.note(ask(parser, &bytes)?);
    }
    Ok(report)
}

/// Each truncation and each flipped bit of one file.
fn damage(parser: &Parser, sample: &Sample, report: &mut Report) -> Result<(), String> {
    for length in 0..sample.bytes.len() {
        report.truncations += 1;
        report.note(ask(parser, &sample.bytes[..length])?);
    }
    let mut bytes = sample.bytes.clone();
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        report.flips += 1;
        report.note(ask(parser, &bytes)?);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    Ok(())
}

fn ask(parser: &Parser, bytes: &[u8]) -> Result<Verdict, String> {
    verdict(parser, bytes).map_err(|why| {
        let path = std::env::temp_dir().join(format!("nexus-{}-{}.bin", parser.name, std::process::id()));
        let kept = std::fs::write(&path, bytes).map_or_else(|error| error.to_string(), |()| path.display().to_string());
        format!("{}: {why}; {} bytes in {kept}", parser.name, bytes.len())
    })
}
