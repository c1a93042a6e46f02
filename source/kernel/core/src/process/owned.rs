//! What a process is charged for, as a list: so that taking it back needs no search.

use super::Process;
use crate::{
    Kernel,
    arena::{Header, Tag},
    thread::Thread,
    word::Half,
};
use nexus_abi::Kind;

impl Kernel {
    /// Puts an object into its owner's list. Holds all shards.
    pub fn own(&self, owner: &Process, tag: Tag) {
        let Some(header) = tag.kind().and_then(|kind| self.header(kind, tag.index())) else { return };
        header.owner.set(owner.index());
        self.link(&owner.owned, header, tag, |tag| tag.kind().and_then(|kind| self.header(kind, tag.index())));
    }

    /// Takes an object out of its owner's list. Holds all shards.
    pub fn disown(&self, tag: Tag) {
        let Some(header) = tag.kind().and_then(|kind| self.header(kind, tag.index())) else { return };
        let owner = self.processes.at(header.owner.get());
        self.unlink_header(&owner.owned, header, |tag| tag.kind().and_then(|kind| self.header(kind, tag.index())));
    }

    /// Puts a thread into its process's list of threads. Holds all shards.
    pub(crate) fn join(&self, process: &Process, thread: &Thread) {
        let tag = Tag::new(Kind::Thread, thread.index());
        thread.header.owner.set(process.index());
        self.link(&process.threads, &thread.header, tag, |tag| self.header(Kind::Thread, tag.index()));
    }

    /// Takes a thread out of its process's list of threads. Holds all shards.
    pub(crate) fn leave(&self, process: &Process, thread: &Thread) {
        self.unlink_header(&process.threads, &thread.header, |tag| self.header(Kind::Thread, tag.index()));
    }

    fn link(&self, head: &Half, header: &Header, tag: Tag, header_of: impl Fn(Tag) -> Option<&'static Header>) {
        let first = Tag(head.get());
        header.previous.set(0);
        header.next.set(first.0);
        if let Some(first) = header_of(first).filter(|_| first.0 != 0) {
            first.previous.set(tag.0);
        }
        head.set(tag.0);
    }

    fn unlink_header(&self, head: &Half, header: &Header, header_of: impl Fn(Tag) -> Option<&'static Header>) {
        let (next, previous) = (Tag(header.next.get()), Tag(header.previous.get()));
        if let Some(next) = header_of(next).filter(|_| next.0 != 0) {
            next.previous.set(previous.0);
        }
        match header_of(previous).filter(|_| previous.0 != 0) {
            Some(previous) => previous.next.set(next.0),
            None => head.set(next.0),
        }
        header.next.set(0);
        header.previous.set(0);
    }
}
