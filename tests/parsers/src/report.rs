//! What an examination came to, as a row of the table.

use crate::{Parser, Verdict};
use std::collections::BTreeMap;
use std::fmt;

/// Inputs by how they were made, and verdicts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The parser's name.
    pub parser: &'static str,
    /// Files of the corpus.
    pub files: u64,
    /// Truncations read.
    pub truncations: u64,
    /// Inputs with one flipped bit read.
    pub flips: u64,
    /// Mutations read.
    pub mutations: u64,
    /// How often each verdict came.
    pub verdicts: BTreeMap<Verdict, u64>,
}

impl Report {
    /// Notes a verdict.
    pub(crate) fn note(&mut self, verdict: Verdict) {
        *self.verdicts.entry(verdict).or_default() += 1;
    }

    /// The errors that the parser declares and that never came.
    #[must_use]
    pub fn missing(&self, parser: &Parser) -> Vec<&'static str> {
        let came = |error: &'static str| self.verdicts.contains_key(&Verdict::Refused(error));
        parser.errors.iter().copied().filter(|error| !came(error)).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { parser, files, truncations, flips, mutations, verdicts } = self;
        let accepted = verdicts.get(&Verdict::Accepted).copied().unwrap_or(0);
        let refused: u64 = verdicts.values().sum::<u64>() - accepted;
        write!(
            out,
            "{parser:<16} {files:>5} {truncations:>9} {flips:>9} {mutations:>10} {accepted:>10} {refused:>10} "
        )?;
        for (verdict, count) in verdicts {
            if let Verdict::Refused(error) = verdict {
                write!(out, " {error} {count}")?;
            }
        }
        Ok(())
    }
}
