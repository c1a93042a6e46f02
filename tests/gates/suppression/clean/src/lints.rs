//! A file of a fixture.

#[allow(dead_code, reason = "read by assembly")]
fn told() {
    [allow(1), expect(2)];
    option.expect("a reason is no matter of method calls");
}
