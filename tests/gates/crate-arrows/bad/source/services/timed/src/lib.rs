//! A file of a fixture.

#[path = "../../policyd/src/rules.rs"]
mod rules;
