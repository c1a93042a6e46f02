//! Two copies of the tree, and which defect is tried in which.
//!
//! Defects of one program stand side by side. One copy takes them from the front, the other from the back: each keeps to
//! its own programs until they meet, so that only there something is built twice.

use super::bench::Bench;
use super::patch::Patch;
use super::scratch::Snapshot;
use super::table::Row;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// Tries every patch of `work`; `tried` is told of each as soon as its verdict is there.
pub(super) fn work_off<'a>(
    work: &[&'a Patch],
    tree: &'a Snapshot,
    folder: &Path,
    tried: impl FnMut(&Patch, &Row) -> io::Result<()> + Send,
) -> io::Result<Vec<Row>> {
    let queue: Mutex<VecDeque<&Patch>> = Mutex::new(work.iter().copied().collect());
    let (queue, tried) = (&queue, &Mutex::new(tried));
    let take = |end: End| {
        let mut queue = queue.lock().expect("nobody panics with the queue");
        match end {
            End::Front => queue.pop_front(),
            End::Back => queue.pop_back(),
        }
    };
    let one_copy = |end: End, name: &str| -> io::Result<Vec<Row>> {
        let mut rows = Vec::new();
        let mut next = take(end);
        if next.is_none() {
            return Ok(rows);
        }
        let mut bench = Bench::new(tree, &folder.join(name))?;
        while let Some(patch) = next {
            let start = Instant::now();
            let row = Row::of(patch, bench.attempt(patch, work), start.elapsed());
            tried.lock().expect("nobody panics with the table")(patch, &row)?;
            rows.push(row);
            next = take(end);
        }
        Ok(rows)
    };
    thread::scope(|scope| {
        let other = scope.spawn(move || one_copy(End::Back, "back"));
        let mut rows = one_copy(End::Front, "front")?;
        rows.extend(other.join().expect("a copy gives an error, it does not panic")?);
        Ok(rows)
    })
}

/// From where a copy takes its work.
#[derive(Clone, Copy)]
enum End {
    Front,
    Back,
}
