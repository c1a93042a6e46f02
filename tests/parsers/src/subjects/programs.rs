//! What init and execd read from the bundle: executables, and the resolved manifest.

use super::{PLAIN, refused, set_word};
use crate::{Parser, Sample, Verdict};
use loader::{Access, LoadError, MAX_SEGMENTS};
use nexus_abi::layout::{PAGE_SIZE, USER_END, USER_START};
use nexus_abi::{Limits, Name, QosClass, Quota, ServiceId};
use wiring::{Backoff, Grants, Interface, Party, Program, Route, Wiring};

/// Executables, as the loader judges them.
pub(super) const ELF: Parser = Parser { name: "elf", read: elf, errors: ELF_ERRORS, samples: executables, ..PLAIN };

macro_rules! load_errors {
    ($($name:ident)*) => {
        const ELF_ERRORS: &[&str] = &[$(stringify!($name),)*];

        fn load_error(error: LoadError) -> &'static str {
            match error { $(LoadError::$name => stringify!($name),)* }
        }
    };
}

load_errors! {
    Truncated NotElf WrongClass WrongMachine WrongType NotStatic NoSegments TooManySegments WritableCode BadAccess
    Misaligned BadSizes Wraps BelowUser AboveUser Overlap SharedPage EntryOutsideText
}

fn elf(bytes: &[u8]) -> Verdict {
    let plan = match loader::plan(bytes) {
        Ok(plan) => plan,
        Err(error) => return Verdict::Refused(load_error(error)),
    };
    let page = PAGE_SIZE as u64;
    assert!((1..=MAX_SEGMENTS).contains(&plan.segments().len()));
    let mut entered = false;
    for (at, segment) in plan.segments().iter().enumerate() {
        assert!(segment.vaddr.is_multiple_of(page) && segment.skip < page && segment.pages > 0);
        let end = segment.pages.checked_mul(page).and_then(|bytes| segment.vaddr.checked_add(bytes));
        assert!(segment.vaddr >= USER_START && end.is_some_and(|end| end <= USER_END), "it lies in user space");
        assert!(segment.skip + segment.bytes <= segment.pages * page, "its bytes fit its pages");
        let file = segment.offset as usize..(segment.offset + segment.bytes) as usize;
        assert!(bytes.get(file).is_some(), "its bytes are in the file");
        for other in &plan.segments()[..at] {
            assert!(segment.end() <= other.vaddr || other.end() <= segment.vaddr, "no page is claimed twice");
        }
        let start = segment.vaddr + segment.skip;
        entered |= segment.access == Access::ReadExecute && (start..start + segment.bytes).contains(&plan.entry());
    }
    assert!(entered && plan.entry().is_multiple_of(2), "the entry is an instruction of the file");
    Verdict::Accepted
}

/// One program header: kind, flags, offset, address, bytes in the file and in memory.
type Piece = (u32, u32, u64, u64, u64, u64);

fn executable(entry: u64, pieces: &[Piece]) -> Vec<u8> {
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    [2u16, 243].iter().for_each(|half| out.extend(half.to_le_bytes()));
    out.extend(1u32.to_le_bytes());
    [entry, 64, 0].iter().for_each(|word| out.extend(word.to_le_bytes()));
    out.extend(5u32.to_le_bytes());
    [64u16, 56, pieces.len() as u16, 64, 0, 0].iter().for_each(|half| out.extend(half.to_le_bytes()));
    for &(kind, flags, offset, vaddr, bytes, size) in pieces {
        [kind, flags].iter().for_each(|half| out.extend(half.to_le_bytes()));
        [offset, vaddr, vaddr, bytes, size, 4096].iter().for_each(|word| out.extend(word.to_le_bytes()));
    }
    out.resize(out.len().next_multiple_of(0x200), 0);
    out.extend((0..64).map(|at| at as u8));
    out
}

fn executables() -> Vec<Sample> {
    let text = (1, 5, 0x200, 0x1_0200, 64, 64);
    let data = (1, 6, 0x200, 0x1_2200, 24, 0x2100);
    let note = (4, 4, 0, 0, 0, 0);
    let nine: Vec<Piece> = (0..9).map(|at| (1, 4, 0, 0x10_0000 + at * 4096, 8, 8)).collect();
    let entry = 0x1_0204;
    let broken = |error, name: &str, pieces: &[Piece]| Sample::refused(error, name, executable(entry, pieces));
    vec![
        Sample::accepted("text.elf", executable(entry, &[text])),
        Sample::accepted("text-and-data.elf", executable(entry, &[text, data, note])),
        broken("NoSegments", "note.elf", &[note]),
        broken("TooManySegments", "nine.elf", &nine),
        broken("NotStatic", "interpreter.elf", &[text, (3, 4, 0, 0, 0, 0)]),
        broken("WritableCode", "rwx.elf", &[(1, 7, 0x200, 0x1_0200, 64, 64)]),
        broken("BadAccess", "execute-only.elf", &[(1, 1, 0x200, 0x1_0200, 64, 64)]),
        broken("Misaligned", "shifted.elf", &[(1, 5, 0x200, 0x1_0208, 64, 64)]),
        broken("BadSizes", "shrunk.elf", &[(1, 5, 0x200, 0x1_0200, 64, 8)]),
        broken("Wraps", "wraps.elf", &[(1, 5, 0x200, u64::MAX - 0xfff + 0x200, 64, 4096)]),
        broken("BelowUser", "low.elf", &[(1, 5, 0x200, 0xf200, 64, 64)]),
        broken("AboveUser", "high.elf", &[(1, 5, 0x200, USER_END - 0xe00, 64, 4096)]),
        broken("Overlap", "twice.elf", &[text, text]),
        broken("SharedPage", "neighbours.elf", &[(1, 5, 0x200, 0x1_0200, 16, 16), (1, 4, 0x220, 0x1_0220, 8, 8)]),
        Sample::refused("EntryOutsideText", "odd.elf", executable(entry + 1, &[text])),
    ]
}

/// The resolved manifest, as init and execd read it.
pub(super) const WIRING: Parser = Parser {
    name: "wiring",
    read: wiring,
    errors: &["ECORRUPT", "EPROTO"],
    mend: Some(|bytes| {
        bytes.truncate(bytes.len() / 8 * 8);
        let words = bytes.len() as u64 / 8;
        set_word(bytes, 2, words);
    }),
    samples: wirings,
    ..PLAIN
};

fn wiring(bytes: &[u8]) -> Verdict {
    match Wiring::read(bytes) {
        Ok(wiring) => {
            assert_eq!(wiring.write().as_deref(), Ok(bytes), "it is exactly what the writer writes");
            Verdict::Accepted
        }
        Err(error) => refused(error),
    }
}

fn wirings() -> Vec<Sample> {
    let name = |text| Name::new(text).expect("short");
    let backoff = Backoff { first_ms: 20, most_ms: 2000, limit: 5, window_ms: 10_000 };
    let empty = Wiring { backoff, ..Wiring::default() };
    let program = Program {
        name: name("app/boot/hello"),
        id: ServiceId::program("app/boot/hello"),
        prefix: name("hello"),
        quota: Quota { frames: 96, threads: 2, ..Quota::default() },
        qos: QosClass::Normal,
        limits: Limits::NONE,
        stack_pages: 16,
        grants: Grants::default(),
        shard: None,
    };
    let interface = Interface { name: name("supervisor"), owner: Party::Init };
    let route = Route { holder: Party::Program(0), name: name("supervisor"), interface: 0, badge: 1 };
    let whole = Wiring { programs: vec![program], interfaces: vec![interface], routes: vec![route], ..empty.clone() };
    let bytes = |wiring: &Wiring| wiring.write().expect("it is small");
    let mut other = bytes(&empty);
    other[8] += 1;
    vec![
        Sample::accepted("empty.bin", bytes(&empty)),
        Sample::accepted("route.bin", bytes(&whole)),
        Sample::refused("EPROTO", "version.bin", other),
    ]
}
