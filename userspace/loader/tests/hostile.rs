//! Every truncation and every flipped bit of small programs: never a panic, and what is accepted is sound.
//!
//! The validator here shares no code with the loader: it re-reads the header fields from the bytes and states the
//! invariants over sets of pages, the slow and obvious way.

mod corpus;

use std::collections::{BTreeMap, BTreeSet};

use corpus::{Elf, Header, sound};
use loader::{Access, LoadError, MAX_SEGMENTS, Plan, plan};

/// The invariants of an accepted plan, from the file's bytes.
fn validate(file: &[u8], plan: &Plan) {
    assert!((1..=MAX_SEGMENTS).contains(&plan.segments().len()));
    let mut owner: BTreeMap<u64, Access> = BTreeMap::new();
    let mut text = BTreeSet::new();
    for segment in plan.segments() {
        assert_eq!(segment.vaddr % 4096, 0);
        assert!(segment.skip < 4096 && segment.pages >= 1);
        assert!(segment.vaddr >= 0x1_0000);
        assert!(segment.pages <= (1 << 26) && segment.vaddr + segment.pages * 4096 <= 1 << 38);
        assert!(segment.skip + segment.bytes <= segment.pages * 4096);
        let (start, end) = (segment.offset as usize, (segment.offset + segment.bytes) as usize);
        assert!(file.get(start..end).is_some());
        if segment.access == Access::ReadExecute {
            text.extend((start..end).map(|at| segment.vaddr + segment.skip + (at - start) as u64));
        }
        // A flipped bit can ask for gigabytes of zeroes: sample the ends of a huge segment, walk a small one.
        let step = (segment.pages / 64).max(1) as usize;
        for page in (0..segment.pages).step_by(step).chain([segment.pages - 1]) {
            let at = segment.vaddr + page * 4096;
            let twice = plan.segments().iter().filter(|s| (s.vaddr..s.vaddr + s.pages * 4096).contains(&at)).count();
            assert_eq!(twice, 1, "page {at:#x} has two owners");
            owner.insert(at, segment.access);
        }
    }
    assert!(text.contains(&plan.entry()), "entry {:#x} is not file text", plan.entry());
    assert_eq!(plan.entry() % 2, 0);
    assert_eq!(owner.get(&(plan.entry() & !4095)), Some(&Access::ReadExecute));
}

#[test]
fn the_corpus_itself_is_accepted() {
    for file in corpus::all() {
        let plan = plan(&file).expect("sound");
        validate(&file, &plan);
    }
}

#[test]
fn every_truncation_is_refused() {
    for file in corpus::all() {
        for len in 0..file.len() {
            let error = plan(&file[..len]).expect_err("a part of a program is not a program");
            assert!(matches!(error, LoadError::Truncated | LoadError::NotElf), "{len}: {error:?}");
        }
    }
}

#[test]
fn every_single_bit_flip_is_refused_or_sound() {
    let (mut accepted, mut refused) = (0u32, BTreeSet::new());
    for mut file in corpus::all() {
        for bit in 0..file.len() * 8 {
            file[bit / 8] ^= 1 << (bit % 8);
            match plan(&file) {
                Ok(plan) => {
                    validate(&file, &plan);
                    accepted += 1;
                }
                Err(error) => {
                    refused.insert(error);
                }
            }
            file[bit / 8] ^= 1 << (bit % 8);
        }
    }
    assert!(accepted > 0, "flips in the payload must not matter");
    assert!(refused.len() >= 12, "the flips reach few rules: {refused:?}");
}

#[test]
fn random_garbage_behind_a_sound_header_never_panics() {
    let base = sound();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..20_000 {
        let mut file = base.clone();
        for _ in 0..4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = (state >> 16) as usize % 0x200.min(file.len());
            file[at] = state as u8;
        }
        if let Ok(plan) = plan(&file) {
            validate(&file, &plan);
        }
    }
}

fn refusal(change: impl FnOnce(&mut Elf)) -> LoadError {
    let mut elf = Elf::sound();
    change(&mut elf);
    plan(&elf.bytes()).expect_err("broken on purpose")
}

#[test]
fn each_rule_has_its_own_error() {
    let text = |elf: &mut Elf| elf.headers[0];
    let cases: [(LoadError, LoadError); 19] = [
        (LoadError::NotElf, refusal(|elf| elf.magic = *b"\x7fELG")),
        (LoadError::NotElf, refusal(|elf| elf.version = 2)),
        (LoadError::WrongClass, refusal(|elf| elf.class = 1)),
        (LoadError::WrongMachine, refusal(|elf| elf.machine = 62)),
        (LoadError::WrongMachine, refusal(|elf| elf.data = 2)),
        (LoadError::WrongType, refusal(|elf| elf.kind = 3)),
        (LoadError::NotStatic, refusal(|elf| elf.headers[1].kind = 2)),
        (LoadError::NotStatic, refusal(|elf| elf.headers[1].kind = 3)),
        (LoadError::NotStatic, refusal(|elf| elf.headers[1].kind = 7)),
        (LoadError::NoSegments, refusal(|elf| elf.headers.clear())),
        (LoadError::WritableCode, refusal(|elf| elf.headers[0].flags = 7)),
        (LoadError::BadAccess, refusal(|elf| elf.headers[0].flags = 1)),
        (LoadError::Misaligned, refusal(|elf| elf.headers[1].vaddr += 8)),
        (LoadError::BadSizes, refusal(|elf| elf.headers[1].memsz = 1)),
        (LoadError::Truncated, refusal(|elf| elf.headers[1].offset = 1 << 40)),
        (LoadError::BelowUser, refusal(|elf| elf.headers[0].vaddr = 0xf000)),
        (LoadError::AboveUser, refusal(|elf| elf.headers[1].vaddr = (1 << 38) - 4096)),
        (LoadError::Wraps, refusal(|elf| elf.headers[1].vaddr = 0u64.wrapping_sub(4096))),
        (LoadError::Overlap, refusal(|elf| elf.headers[1].vaddr = text(elf).vaddr)),
    ];
    for (index, (expected, found)) in cases.into_iter().enumerate() {
        assert_eq!(found, expected, "case {index}");
    }
}

#[test]
fn entry_must_be_an_instruction_in_the_text() {
    let text = Elf::sound().headers[0];
    let behind = (text.vaddr + text.filesz).next_multiple_of(2);
    for entry in [0, 0xffff, 0x1_0001, behind, 0x1_0000 + 4096, 0x1_2000, u64::MAX] {
        assert_eq!(refusal(|elf| elf.entry = entry), LoadError::EntryOutsideText, "{entry:#x}");
    }
}

#[test]
fn two_segments_on_one_page_are_refused_whatever_their_rights() {
    for flags in [4, 5, 6] {
        let neighbour = Header { kind: 1, flags, offset: 0x1800, vaddr: 0x1_0800, filesz: 8, memsz: 8 };
        let share = |elf: &mut Elf| {
            elf.headers[1] = neighbour;
            elf.payload = 0x900;
        };
        assert_eq!(refusal(share), LoadError::SharedPage, "flags {flags}");
    }
}

#[test]
fn a_ninth_segment_is_refused_and_eight_are_not() {
    let page = |n: u64| Header { kind: 1, flags: 4, offset: 0x1000, vaddr: 0x10_0000 + n * 4096, filesz: 8, memsz: 8 };
    let mut elf = Elf::sound();
    elf.headers.extend((0..6).map(page));
    assert_eq!(plan(&elf.bytes()).expect("eight").segments().len(), 8);
    elf.headers.push(page(6));
    assert_eq!(plan(&elf.bytes()), Err(LoadError::TooManySegments));
}

#[test]
fn a_header_table_beyond_reason_is_refused() {
    let note = Header { kind: 4, flags: 4, offset: 0, vaddr: 0, filesz: 0, memsz: 0 };
    assert_eq!(refusal(|elf| elf.headers.extend([note; 40])), LoadError::TooManySegments);
}

#[test]
fn a_segment_that_begins_inside_a_page_keeps_its_place() {
    let mut elf = Elf::sound();
    elf.headers[1] = Header { kind: 1, flags: 6, offset: 0x1010, vaddr: 0x1_2010, filesz: 8, memsz: 0x1000 };
    let plan = plan(&elf.bytes()).expect("sound");
    let data = plan.segments()[1];
    assert_eq!((data.vaddr, data.skip, data.pages, data.offset, data.bytes), (0x1_2000, 0x10, 2, 0x1010, 8));
    assert!(!data.in_place());
    assert!(plan.segments()[0].in_place());
}
