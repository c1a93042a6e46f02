//! A file of a fixture.

/// Ed25519 as RFC 8032 has it.
fn verify() {
    let text = "TASK-0012 // TODO";
    let character = '"'; // a quote, and no string begins here
}
