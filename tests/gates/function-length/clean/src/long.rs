//! A file of a fixture.

fn long(mut value: u32) -> u32 {
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value += 1;
    value
}

trait Long {
    fn declared(&self);
}

struct Callback {
    run: fn(u32) -> u32,
}
