//! The lines that were entered, bounded in number.

use alloc::collections::VecDeque;
use alloc::string::String;

/// How many command lines the history keeps.
pub(crate) const KEPT: usize = 64;

/// Past lines and where in them the person is.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: VecDeque<String>,
    /// Counted back from the newest, 1 the newest; 0 is the line being written.
    place: usize,
    /// The line being written, while an older one is shown.
    draft: String,
}

impl History {
    /// Keeps a line that is neither empty nor the newest again.
    pub(crate) fn push(&mut self, line: &str) {
        self.place = 0;
        if line.trim().is_empty() || self.lines.back().is_some_and(|newest| newest == line) {
            return;
        }
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(String::from(line));
    }

    /// The next older line; `current` is what stands there now.
    pub(crate) fn older(&mut self, current: &str) -> Option<&str> {
        if self.place == self.lines.len() {
            return None;
        }
        if self.place == 0 {
            self.draft = String::from(current);
        }
        self.place += 1;
        self.shown()
    }

    /// The next newer line; after the newest the draft.
    pub(crate) fn newer(&mut self) -> Option<&str> {
        self.place = self.place.checked_sub(1)?;
        self.shown()
    }

    fn shown(&self) -> Option<&str> {
        match self.place {
            0 => Some(&self.draft),
            place => self.lines.get(self.lines.len() - place).map(String::as_str),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walking_back_and_forth_ends_at_the_draft() {
        let mut history = History::default();
        ["one", "two"].iter().for_each(|line| history.push(line));
        assert_eq!(history.older("dra"), Some("two"));
        assert_eq!(history.older("two"), Some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer(), Some("two"));
        assert_eq!(history.newer(), Some("dra"));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn empty_and_repeated_lines_are_not_kept_and_the_oldest_goes_first() {
        let mut history = History::default();
        ["a", "a", " ", ""].iter().for_each(|line| history.push(line));
        assert_eq!(history.lines.len(), 1);
        (0..KEPT).for_each(|number| history.push(&number.to_string()));
        assert_eq!((history.lines.len(), history.lines[0].as_str()), (KEPT, "0"));
    }
}
