//! A file of a fixture.

// unsafe in a comment
const TEXT: &str = "unsafe";
