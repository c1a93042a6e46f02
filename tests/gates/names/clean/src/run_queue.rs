//! A file of a fixture.

struct RunQueue;

impl Visit for RunQueue {
    fn visit_impl_item(&self) {}
}

impl RunQueue {
    fn push(&self) {}

    fn undo(&self) {}
}
