//! Prints the whole ABI and compares it with `golden.txt`, so that every change shows in review.
//!
//! `UPDATE=1 cargo test -p nexus-abi --test golden` writes the file anew.

use std::fmt::Write;
use std::{env, fs, path::Path};

use nexus_abi::message::{Extent, Passing, Status};
use nexus_abi::start::{self, ExitKind, StartInfo};
use nexus_abi::syscall::{self, TYPED, access, ipc};
use nexus_abi::{ABI_VERSION, handle, identity, image, layout, message};
use nexus_abi::{Error, Handle, Kind, Name, ProcessId, QosClass, Quota, Rights, ServiceId};

#[test]
fn the_abi_is_what_golden_txt_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden.txt");
    let printed = print();
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &printed).expect("golden.txt can be written");
    }
    let golden = fs::read_to_string(&path).expect("golden.txt is in the tree");
    for (number, (was, is)) in golden.lines().zip(printed.lines()).enumerate() {
        assert_eq!(was, is, "line {} of golden.txt; UPDATE=1 if this is meant", number + 1);
    }
    assert_eq!(golden.len(), printed.len(), "golden.txt is longer or shorter; UPDATE=1 if this is meant");
}

fn print() -> String {
    let mut out = String::new();
    for part in [numbers, calls, refusals, tables, registers, pages] {
        part(&mut out).expect("a string takes everything");
    }
    out
}

fn numbers(out: &mut String) -> std::fmt::Result {
    writeln!(out, "# Numbers\nABI version {ABI_VERSION}")?;
    let layout = [
        ("PAGE_SIZE", layout::PAGE_SIZE as u64),
        ("USER_START", layout::USER_START),
        ("USER_END", layout::USER_END),
        ("HEAP_START", layout::HEAP_START),
        ("STACK_TOP", layout::STACK_TOP),
        ("START_PAGE", layout::START_PAGE),
        ("IPC_PAGE", layout::IPC_PAGE),
        ("SHARED_START", layout::SHARED_START),
        ("DEFAULT_STACK", layout::DEFAULT_STACK as u64),
        ("MAP_BATCH", layout::MAP_BATCH),
        ("GROW_BATCH", layout::GROW_BATCH),
        ("WORDS", message::WORDS as u64),
        ("MAX_INLINE", message::MAX_INLINE as u64),
        ("MAX_LINE", message::MAX_LINE as u64),
        ("MAX_HANDLES", message::MAX_HANDLES as u64),
        ("HEADER_BYTES", message::HEADER_BYTES as u64),
        ("MAX_CALL_DEPTH", message::MAX_CALL_DEPTH as u64),
        ("MAX_SLOTS", handle::MAX_SLOTS as u64),
        ("MAX_SHARDS", handle::MAX_SHARDS as u64),
        ("SHARDS", handle::SHARDS as u64),
        ("GENERATION_END", handle::GENERATION_END),
        ("MAX_START_HANDLES", start::MAX_START_HANDLES as u64),
        ("MAX_TEXTS", start::MAX_TEXTS as u64),
        ("MAX_NAME", identity::MAX_NAME as u64),
        ("image MAX_STACK_PAGES", image::MAX_STACK_PAGES),
        ("image MAX_SEGMENTS", image::MAX_SEGMENTS as u64),
        ("image MAX_RAISERS", image::MAX_RAISERS as u64),
        ("image MAX_ENTRIES", image::MAX_ENTRIES as u64),
    ];
    for (name, value) in layout {
        writeln!(out, "{name} {value:#x}")?;
    }
    writeln!(out, "access READ {} WRITE {} EXECUTE {}", access::READ, access::WRITE, access::EXECUTE)
}

fn calls(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n# Message calls")?;
    for (number, name) in ipc::ALL {
        writeln!(out, "{number} {name}")?;
    }
    writeln!(out, "\n# Typed calls")?;
    let list = |fields: &[(&str, &str)]| {
        fields.iter().map(|(name, kind)| format!("{name}: {kind}")).collect::<Vec<_>>().join(", ")
    };
    for call in TYPED {
        writeln!(out, "{} {}({}) -> ({})", call.number, call.name, list(call.arguments), list(call.results))?;
    }
    Ok(())
}

fn refusals(out: &mut String) -> std::fmt::Result {
    let names = || ipc::ALL.iter().map(|(_, name)| *name).chain(TYPED.iter().map(|call| call.name));
    let listed: Vec<&str> = syscall::REFUSALS.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, names().collect::<Vec<_>>(), "each call has its refusals, in the order of the table");
    assert!(syscall::ENDS.iter().all(|(name, _)| listed.contains(name)));
    for (title, list) in [("Refusals", syscall::REFUSALS), ("Ends of waits", syscall::ENDS)] {
        writeln!(out, "\n# {title}")?;
        for (name, errors) in list {
            let distinct: std::collections::BTreeSet<_> = errors.iter().map(|error| error.number()).collect();
            assert_eq!(distinct.len(), errors.len(), "{name} names an error twice");
            let errors: Vec<&str> = errors.iter().map(|error| error.name()).collect();
            writeln!(out, "{name}: {}", errors.join(" "))?;
        }
    }
    Ok(())
}

fn tables(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n# Errors")?;
    for error in Error::ALL {
        writeln!(out, "{} {} {:?} {:?}", error.number(), error.name(), error, error.fault())?;
    }
    writeln!(out, "\n# Kinds")?;
    for kind in Kind::ALL {
        writeln!(out, "{} {}", *kind as u8, kind.name())?;
    }
    writeln!(out, "\n# Rights")?;
    let rights =
        [("USE", Rights::USE), ("TAKE", Rights::TAKE), ("MANAGE", Rights::MANAGE), ("TRANSFER", Rights::TRANSFER)];
    for (name, right) in rights {
        writeln!(out, "{:#x} {name}", right.bits())?;
    }
    writeln!(out, "\n# QoS")?;
    for class in QosClass::ALL {
        writeln!(out, "{} {}", class as u8, class.name())?;
    }
    writeln!(out, "\n# Exit kinds")?;
    for kind in (0..).map_while(ExitKind::from_wire) {
        writeln!(out, "{} {kind:?}", kind as u64)?;
    }
    Ok(())
}

fn registers(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n# Words")?;
    let handle = Handle::pack(0xabc, 0xd, 0x1234).expect("in range");
    writeln!(out, "handle index 0xabc shard 0xd generation 0x1234 = {:#x}", handle.raw())?;
    let extent = Extent { length: 0x123, handles: 5, passing: Passing::Move };
    writeln!(out, "extent length 0x123 handles 5 move = {:#x}", extent.to_word())?;
    let flags = [
        ("EXTENDED", Status::EXTENDED),
        ("SIGNAL", Status::SIGNAL),
        ("ONE_WAY", Status::ONE_WAY),
        ("FAULT", Status::FAULT),
    ];
    for (name, flag) in flags {
        writeln!(out, "status {name} = {flag:#x}")?;
    }
    writeln!(out, "process index 7 generation 3 = {:#x}", ProcessId(3 << 32 | 7).0)?;
    writeln!(out, "service \"timed\" = {:#x}", ServiceId::service("timed").0)?;
    writeln!(out, "program \"app/boot/hello\" = {:#x}", ServiceId::program("app/boot/hello").0)?;
    writeln!(out, "name \"timed\" = {:x?}", Name::new("timed").expect("short").to_words())?;
    writeln!(out, "\n# Quota: resource, word, mask")?;
    for (at, name) in Quota::NAMES.iter().enumerate() {
        writeln!(out, "{name} {:x?}", Quota::from_words(quota_mask(at)).to_words())?;
    }
    Ok(())
}

/// The bits of the words that resource `at` reads.
fn quota_mask(at: usize) -> [u64; 3] {
    let mut mask = [0; 3];
    for bit in 0..192 {
        let mut words = [0; 3];
        words[bit / 64] = 1 << (bit % 64);
        if Quota::from_words(words).values()[at] != 0 {
            mask[bit / 64] |= words[bit / 64];
        }
    }
    mask
}

fn pages(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n# A start page")?;
    let info = StartInfo { timebase: 1, ipc_page: 2, process: ProcessId(3), service: ServiceId(4), heap_pages: 5 };
    let handles = [(Name::new("log").expect("short"), Handle::pack(1, 2, 3).expect("in range"))];
    let mut page = [0; layout::PAGE_SIZE];
    let length = start::write(&mut page, &info, &handles, &["hello", "you"], &["A=b"]).expect("fits");
    dump(out, &page[..length])?;
    writeln!(out, "\n# A boot image's first page, zeros left out")?;
    let mut bytes = vec![0x5a; 3 * layout::PAGE_SIZE];
    image::seal(&mut bytes, &image_header(), &[image_entry()]).expect("sound");
    dump(out, &bytes[..layout::PAGE_SIZE])?;
    // Every call of the table is a different number and name.
    let mut seen = std::collections::BTreeSet::new();
    let all = TYPED.iter().map(|call| (call.number, call.name)).chain(ipc::ALL.iter().copied());
    assert!(all.flat_map(|(number, name)| [number.to_string(), name.into()]).all(|key| seen.insert(key)));
    assert!(syscall::TYPED.is_sorted_by_key(|call| call.number));
    Ok(())
}

fn image_header() -> image::Header {
    let page = layout::PAGE_SIZE as u64;
    let mut header =
        image::Header { length: 3 * page, entry_point: 0x1_0000, stack_pages: 16, entries: 1, ..Default::default() };
    header.raisers[0] = ServiceId::service("execd").0;
    header.segments[0] = image::Segment { offset: page, address: 0x1_0000, pages: 1, access: 5 };
    header.segments[1] = image::Segment { offset: u64::MAX, address: 0x1_1000, pages: 2, access: 3 };
    header
}

fn image_entry() -> image::Entry {
    image::Entry {
        name: Name::new("hello").expect("short"),
        id: ServiceId::program("app/boot/hello"),
        kind: image::EntryKind::Program,
        offset: 2 * layout::PAGE_SIZE as u64,
        length: 100,
        digest: core::array::from_fn(|at| at as u8),
    }
}

fn dump(out: &mut String, bytes: &[u8]) -> std::fmt::Result {
    for (at, chunk) in bytes.chunks(16).enumerate() {
        if chunk.iter().any(|&byte| byte != 0) {
            let hex: String = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(out, "{:4x} {hex}", 16 * at)?;
        }
    }
    Ok(())
}
