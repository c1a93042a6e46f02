//! A crate of a fixture.

pub fn name() -> String {
    std::env::args().next().unwrap_or_default()
}
