//! A writer and a reader on two CPUs under every interleaving that loom knows, and twins without the ordering, which fail.
//!
//! loom models C11: relaxed loads may answer old values. What it does not model is that a CPU may tear a word; words are
//! loaded and stored whole here and on the machine.

extern crate std;

use std::vec::Vec;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// Words of the page that the model has: the header's, and some of the ring.
const WORDS: usize = 12;

/// Whether publishing and observing order anything.
#[derive(Clone, Copy)]
struct Ordered {
    publish: Ordering,
    observe: Ordering,
}

#[derive(Clone)]
struct Words {
    words: Arc<Vec<AtomicU64>>,
    ordered: Ordered,
}

impl Words {
    fn new(ordered: Ordered) -> Words {
        Words { words: Arc::new((0..WORDS).map(|_| AtomicU64::new(0)).collect()), ordered }
    }
}

impl Shared for Words {
    fn load(&self, at: usize) -> u64 {
        self.words[at / 8].load(Ordering::Relaxed)
    }

    fn store(&self, at: usize, word: u64) {
        self.words[at / 8].store(word, Ordering::Relaxed);
    }

    fn publish(&self, at: usize, word: u64) {
        self.words[at / 8].store(word, self.ordered.publish);
    }

    fn observe(&self, at: usize) -> u64 {
        self.words[at / 8].load(self.ordered.observe)
    }

    fn read(&self, at: usize, bytes: &mut [u8]) {
        for (index, word) in bytes.chunks_mut(8).enumerate() {
            word.copy_from_slice(&self.load(at + 8 * index).to_le_bytes()[..word.len()]);
        }
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        for (index, word) in bytes.chunks_exact(8).enumerate() {
            self.store(at + 8 * index, u64::from_le_bytes(word.try_into().expect("eight bytes")));
        }
    }
}

/// Two records from one thread; the other takes what it sees, which must be the first of them, whole.
fn two_records(ordered: Ordered) {
    loom::model(move || {
        let words = Words::new(ordered);
        let (mut writer, mut reader) = (Writer::over(words.clone()), Reader::over(words));
        let sent = loom::thread::spawn(move || {
            writer.put(b"record 1").expect("fits");
            writer.put(b"record 2").expect("fits");
        });
        let mut expected = [&b"record 1"[..], b"record 2"].into_iter();
        for _ in 0..2 {
            let mut bytes = [0; MAX_RECORD];
            if let Some(record) = reader.next(&mut bytes) {
                assert_eq!(record, Ok(expected.next().expect("two were sent")));
            }
        }
        sent.join().expect("it ends");
    });
}

#[test]
fn a_record_is_seen_whole_or_not_at_all() {
    two_records(Ordered { publish: Ordering::Release, observe: Ordering::Acquire });
}

#[test]
#[should_panic(expected = "assertion")]
fn without_publishing_a_record_is_seen_torn() {
    two_records(Ordered { publish: Ordering::Relaxed, observe: Ordering::Acquire });
}

#[test]
#[should_panic(expected = "assertion")]
fn without_observing_a_record_is_seen_torn() {
    two_records(Ordered { publish: Ordering::Release, observe: Ordering::Relaxed });
}
