//! The table at the end: one row a defect, and the line that carries the verdict.

use super::outcome::Verdict;
use super::patch::Patch;
use std::time::Duration;

/// One defect and what came of it.
pub(super) struct Row {
    pub(super) defect: String,
    test: String,
    pub(super) verdict: Verdict,
    pub(super) seconds: Duration,
}

impl Row {
    /// The row of a patch.
    pub(super) fn of(patch: &Patch, verdict: Verdict, seconds: Duration) -> Row {
        Row { defect: patch.name.clone(), test: patch.catcher.name().to_string(), verdict, seconds }
    }

    /// Its line.
    pub(super) fn line(&self) -> String {
        let Row { defect, test, verdict, seconds } = self;
        format!("{defect:<22} {:<18} {:>6.1} s  {test}", verdict.text(), seconds.as_secs_f32())
    }

    fn is_caught(&self) -> bool {
        self.verdict == Verdict::Caught
    }
}

/// Every row, and how many were caught.
pub(super) fn print(rows: &[Row]) -> String {
    let mut text = format!("{:<22} {:<18} {:>8}  caught by\n", "defect", "verdict", "seconds");
    for row in rows {
        text += &row.line();
        text += "\n";
    }
    let caught = rows.iter().filter(|row| row.is_caught()).count();
    text + &format!("{caught} passed, {} failed\n", rows.len() - caught)
}

/// Whether there was a defect and each was caught.
pub(super) fn is_success(rows: &[Row]) -> bool {
    !rows.is_empty() && rows.iter().all(Row::is_caught)
}
