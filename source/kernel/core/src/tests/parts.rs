//! Parts of memory objects: what a request may carry, and what becomes of it.

use super::{
    calls::{Pair, pair},
    *,
};
use nexus_abi::{
    Part,
    message::{Extent, Passing},
    syscall::{
        Close, Derive, Inspect, Map, MemoryCreate, MemoryGrow, MemorySeal, NotificationCreate, Protect, Revoke, Unmap,
        access, ipc,
    },
};

const THERE: u64 = 0x5000_0000;
/// Read, and pass on.
const READ: Rights = Rights::USE.union(Rights::TRANSFER);
/// Everything that a part can allow.
const WRITE: Rights = READ.union(Rights::TAKE);

fn part(offset: u32, pages: u32) -> u64 {
    Part { offset, pages }.badge()
}

fn map(memory: Handle, offset: u64, pages: u64, access: u8) -> Map {
    Map { process: None, memory, address: THERE, offset, pages, access }
}

/// An object of eight pages, which the client owns.
fn object(pair: &Pair) -> Handle {
    let memory = pair.stage.does(pair.client, MemoryCreate { process: None, pages: 10 }).memory;
    pair.stage.does(pair.client, MemoryGrow { memory, pages: 8 });
    memory
}

/// A part of it, which the client made.
fn made(pair: &Pair, source: Handle, rights: Rights, badge: u64) -> Handle {
    pair.stage.does(pair.client, Derive { source, rights, badge }).handle
}

/// The client's request carries this; what the server then has.
fn carried(pair: &Pair, handle: Handle, passing: Passing) -> Handle {
    pair.stage.page(pair.client, 1).set(handle.raw());
    let extent = Extent { length: 0, handles: 1, passing }.to_word();
    pair.stage.post(pair.client, ipc::CALL_EXTENDED, Mail::to(pair.door).with(extent));
    pair.stage.posts(pair.server, ipc::RECV, Mail::to(pair.endpoint).until(0)).expect("a caller waits");
    Handle::from_raw(pair.stage.page(pair.server, 1).get()).expect("a handle came")
}

fn answered(pair: &Pair) {
    pair.stage.posts(pair.server, ipc::REPLY, Mail { to: 0, ..Mail::to(pair.door) }).expect("the caller waits");
}

#[test]
fn a_part_is_counted_from_its_first_page_and_ends_with_its_last() {
    let pair = pair();
    let whole = object(&pair);
    let middle = made(&pair, whole, WRITE, part(2, 4));
    let inner = made(&pair, middle, READ, part(1, 2));
    let told = pair.stage.does(pair.client, Inspect { handle: inner });
    assert_eq!((told.size, told.rights, told.badge), (2, READ, part(3, 2)));

    let theirs = carried(&pair, inner, Passing::Lend);

    assert_eq!(pair.stage.does(pair.server, Inspect { handle: theirs }), told);
    assert_eq!(pair.stage.does(pair.server, map(theirs, 1, 1, access::READ)).pages, 1);
    let mapping =
        pair.stage.kernel.mappings_of(pair.stage.kernel.processes.at(pair.server.process.get() as u32)).next();
    assert_eq!(mapping.map(|mapping| (mapping.offset.get(), mapping.pages.get())), Some((4, 1)));
    for (offset, pages) in [(0, 3), (1, 2), (2, 1), (u64::MAX, 1), (u64::MAX, 2), (1 << 32, 1)] {
        pair.stage.refuses(pair.server, map(theirs, offset, pages, access::READ), Error::Invalid);
    }
}

#[test]
fn no_part_reaches_further_than_its_source() {
    let pair = pair();
    let whole = object(&pair);
    let middle = made(&pair, whole, WRITE, part(2, 4));
    for (source, badge) in [
        (whole, part(0, 9)),
        (whole, part(8, 1)),
        (whole, part(1, u32::MAX)),
        (middle, part(0, 5)),
        (middle, part(4, 1)),
        (middle, part(u32::MAX, 1)),
        (middle, part(1, 0)),
    ] {
        pair.stage.refuses(pair.client, Derive { source, rights: READ, badge }, Error::Invalid);
    }
    assert_eq!(pair.stage.does(pair.client, Inspect { handle: made(&pair, middle, READ, 0) }).size, 4);
}

#[test]
fn a_part_never_allows_more_than_its_source_and_nothing_about_the_whole() {
    let pair = pair();
    let whole = object(&pair);
    pair.stage.refuses(
        pair.client,
        Derive { source: whole, rights: Rights::ALL, badge: part(0, 8) },
        Error::Permission,
    );
    let theirs = carried(&pair, made(&pair, whole, READ, part(0, 8)), Passing::Lend);

    pair.stage.refuses(pair.server, Derive { source: theirs, rights: WRITE, badge: part(0, 1) }, Error::Permission);
    pair.stage.refuses(pair.server, map(theirs, 0, 1, access::WRITE), Error::Permission);
    pair.stage.refuses(pair.server, MemoryGrow { memory: theirs, pages: 1 }, Error::Permission);
    pair.stage.refuses(pair.server, MemorySeal { memory: theirs }, Error::Permission);
    pair.stage.does(pair.server, map(theirs, 0, 1, access::READ));
    let wider = Protect { process: None, address: THERE, pages: 1, access: access::WRITE };
    pair.stage.refuses(pair.server, wider, Error::Permission);
}

#[test]
fn a_part_does_not_grow_with_its_object() {
    let pair = pair();
    let whole = object(&pair);
    let last = made(&pair, whole, READ, part(7, 1));
    pair.stage.does(pair.client, MemoryGrow { memory: whole, pages: 2 });

    assert_eq!(pair.stage.does(pair.client, Inspect { handle: last }).size, 1);
    pair.stage.refuses(pair.client, Derive { source: last, rights: READ, badge: part(0, 2) }, Error::Invalid);
    pair.stage.refuses(pair.client, map(last, 1, 1, access::READ), Error::Invalid);
}

#[test]
fn what_is_given_back_is_gone_with_its_mappings_and_what_was_derived_from_it() {
    let pair = pair();
    let whole = object(&pair);
    let lent = made(&pair, whole, WRITE, part(2, 4));
    let theirs = carried(&pair, lent, Passing::Lend);
    pair.stage.does(pair.server, map(theirs, 0, 4, access::WRITE));
    let kept = pair.stage.does(pair.server, Derive { source: theirs, rights: READ, badge: part(1, 1) }).handle;
    pair.stage.does(pair.server, Close { handle: theirs });
    answered(&pair);
    let mappings = pair.stage.kernel.mappings.pool.used();

    pair.stage.does(pair.client, Revoke { handle: lent });

    pair.stage.refuses(pair.server, Inspect { handle: kept }, Error::BadHandle);
    pair.stage.refuses(pair.server, map(kept, 0, 1, access::READ), Error::BadHandle);
    let again = Unmap { process: None, address: THERE, pages: 4 };
    assert_eq!(pair.stage.does(pair.server, again).pages, 0, "nothing is mapped there any more");
    assert_eq!(pair.stage.kernel.mappings.pool.used(), mappings - 1);
    assert_eq!(pair.stage.does(pair.client, Inspect { handle: whole }).size, 8, "the object is whole");
}

#[test]
fn what_is_kept_stays_until_the_whole_is_revoked() {
    let pair = pair();
    let whole = object(&pair);
    let given = made(&pair, whole, READ, part(2, 4));
    let theirs = carried(&pair, given, Passing::Move);
    answered(&pair);

    pair.stage.refuses(pair.client, Revoke { handle: given }, Error::BadHandle);
    assert_eq!(pair.stage.does(pair.server, map(theirs, 0, 4, access::READ)).pages, 4);

    pair.stage.does(pair.client, Revoke { handle: whole });
    pair.stage.refuses(pair.server, Inspect { handle: theirs }, Error::BadHandle);
}

#[test]
fn a_badge_of_anything_else_is_no_part() {
    let pair = pair();
    let source = pair.stage.does(pair.client, NotificationCreate { process: None }).notification;
    let badged = made(&pair, source, Rights::ALL, part(5, 9));
    assert_eq!(pair.stage.does(pair.client, Inspect { handle: badged }).size, 0);
    pair.stage.refuses(pair.client, Derive { source: badged, rights: READ, badge: part(0, 1) }, Error::Permission);
}
