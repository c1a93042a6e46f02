//! A file of a fixture.

mod common {}

struct QueueV2;

type PoolImpl = u8;

impl QueueV2 {
    fn do_push(&self) {}
}

trait Helper {
    fn push_v1(&self);
}

enum Lite {}

fn utils() {}
