//! A file of a fixture.

/// Steals as TASK-0012 wants it.
fn steal() {}

fn wake() {
    let url = "https://example.org"; // see RFC-0021
    /* refactored
       from steal_v1 */
    let done = 1; // TODO
}
