//! What each kind of event must have come to at least once in 100,000 random ones.

/// Kinds of event and outcomes.
pub(super) const EXPECTED: &[(&str, &[&str])] = &[];
