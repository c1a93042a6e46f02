//! What crosses the boundary of the kernel: boot image, start page, system calls, the types in words.

use super::{PLAIN, refused, set_word, word};
use crate::{Parser, Sample, Verdict};
use nexus_abi::field::Field;
use nexus_abi::image::{self, Entry, EntryKind, Header, Image, Segment};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::message::{Extent, MAX_HANDLES, MAX_INLINE, Status};
use nexus_abi::start::{self, StartInfo, StartPage};
use nexus_abi::syscall::{self, Syscall};
use nexus_abi::{
    Deadline, Error, Handle, Kind, Name, ProcessId, QosClass, Quota, Rights, ServiceId, Shard, for_each_syscall,
};

/// The boot image, as kernel and init read it.
pub(super) const BOOT_IMAGE: Parser = Parser {
    name: "boot-image",
    read: boot_image,
    errors: &["ECORRUPT", "EPROTO"],
    mend: Some(|bytes| mend_image(bytes)),
    samples: images,
    ..PLAIN
};

fn boot_image(bytes: &[u8]) -> Verdict {
    let image = match Image::read(bytes) {
        Ok(image) => image,
        Err(error) => return refused(error),
    };
    let header = image.header();
    assert!(header.length as usize <= bytes.len() && header.length.is_multiple_of(PAGE_SIZE as u64));
    assert_eq!(image.entries().count(), header.entries, "every entry is there");
    for entry in image.entries() {
        let contents = image.contents(&entry).expect("an entry has its bytes");
        assert_eq!(contents.len() as u64, entry.length);
        assert!(Name::new(entry.name.as_str()).is_some(), "its name is one");
    }
    for segment in header.segments.iter().filter(|segment| segment.pages > 0 && segment.offset != u64::MAX) {
        let end = segment.offset as usize + segment.pages as usize * PAGE_SIZE;
        assert!(bytes.get(segment.offset as usize..end).is_some(), "a segment lies in the image");
    }
    Verdict::Accepted
}

/// The checksum as the format says: two running sums over page 0 but its own word, and the segments that have bytes.
fn mend_image(bytes: &mut [u8]) {
    const SEGMENTS: usize = 16;
    let page = PAGE_SIZE / 8;
    let (mut first, mut second) = (0u64, 0u64);
    let mut add = |word: u64| {
        first = first.wrapping_add(word).wrapping_add(1);
        second = second.wrapping_add(first);
    };
    (0..3).chain(4..page).for_each(|at| add(word(bytes, at)));
    for at in (SEGMENTS..SEGMENTS + 4 * image::MAX_SEGMENTS).step_by(4) {
        let (offset, pages) = (word(bytes, at), word(bytes, at + 2));
        if pages > 0 && pages < 64 && offset < bytes.len() as u64 {
            let start = offset as usize / 8;
            (start..start + pages as usize * page).for_each(|at| add(word(bytes, at)));
        }
    }
    set_word(bytes, 3, first ^ second.rotate_left(32));
}

fn images() -> Vec<Sample> {
    let page = PAGE_SIZE as u64;
    let entry = |name, kind, offset, length| Entry {
        name: Name::new(name).expect("short"),
        id: ServiceId::program(name),
        kind,
        offset,
        length,
        digest: [7; 32],
    };
    let mut header = Header { length: 2 * page, entry_point: 0x1_0000, stack_pages: 16, ..Header::default() };
    header.segments[0] = Segment { offset: page, address: 0x1_0000, pages: 1, access: 5 };
    header.segments[1] = Segment { offset: u64::MAX, address: 0x1_1000, pages: 1, access: 3 };
    let entries = [entry("manifest", EntryKind::Manifest, page, 64), entry("hello", EntryKind::Program, page, page)];
    let seal = |header: &Header, entries: &[Entry]| {
        let mut bytes: Vec<u8> = (0..2 * PAGE_SIZE).map(|at| at as u8).collect();
        image::seal(&mut bytes, header, entries).expect("sound");
        bytes
    };
    header.entries = 2;
    let whole = seal(&header, &entries);
    let mut other = whole.clone();
    set_word(&mut other, 1, word(&whole, 1) + 1);
    // Word 18: pages of the first segment, which has one.
    let mut behind = whole.clone();
    set_word(&mut behind, 18, 2);
    mend_image(&mut behind);
    vec![
        Sample::accepted("two-files.img", whole),
        Sample::refused("EPROTO", "format.img", other),
        Sample::refused("ECORRUPT", "segment-behind-end.img", behind),
    ]
}

/// The start page, as every program reads it.
pub(super) const START_PAGE: Parser = Parser {
    name: "start-page",
    read: start_page,
    errors: &["ECORRUPT", "EPROTO"],
    mend: Some(|bytes| {
        let value = word(bytes, 1) & 0xffff_ffff | (bytes.len() as u64) << 32;
        set_word(bytes, 1, value);
    }),
    samples: start_pages,
    ..PLAIN
};

fn start_page(bytes: &[u8]) -> Verdict {
    let page = match StartPage::read(bytes) {
        Ok(page) => page,
        Err(error) => return refused(error),
    };
    let handles: Vec<_> = page.handles().collect();
    let (arguments, environment): (Vec<_>, Vec<_>) = (page.arguments().collect(), page.environment().collect());
    let mut again = [0; PAGE_SIZE];
    if arguments.len() <= start::MAX_TEXTS && environment.len() <= start::MAX_TEXTS {
        let written =
            start::write(&mut again, &page.info(), &handles, &arguments, &environment).map(|end| &again[..end]);
        assert_eq!(written, Ok(bytes), "what was read is all there is");
    }
    Verdict::Accepted
}

fn start_pages() -> Vec<Sample> {
    let info = StartInfo {
        timebase: 10_000_000,
        ipc_page: 0x20_0010_0000,
        process: ProcessId(1 << 32 | 2),
        service: ServiceId::program("app/boot/hello"),
        heap_pages: 64,
    };
    let name = |text| Name::new(text).expect("short");
    let handle = |index| Handle::pack(index, 1, 9).expect("in range");
    let handles = [(name("log"), handle(1)), (name("stdout"), handle(2))];
    let mut page = [0; PAGE_SIZE];
    let mut write = |handles: &[(Name, Handle)], arguments: &[&str], environment: &[&str]| {
        let length = start::write(&mut page, &info, handles, arguments, environment).expect("fits");
        page[..length].to_vec()
    };
    let (bare, whole) = (write(&[], &[], &[]), write(&handles, &["hello", "", "wörld"], &["HOME=/"]));
    let mut other = whole.clone();
    other[8] += 1;
    vec![
        Sample::accepted("bare.bin", bare),
        Sample::accepted("whole.bin", whole),
        Sample::refused("EPROTO", "version.bin", other),
    ]
}

/// The arguments of every system call, as the kernel decodes them: number, target, eight words.
pub(super) const SYSTEM_CALLS: Parser = Parser {
    name: "system-calls",
    read: system_call,
    errors: &["EBADHANDLE", "EINVAL", "ENOSYS"],
    samples: system_calls,
    ..PLAIN
};

macro_rules! decoders {
    ($($name:ident)*) => {
        fn decode(number: u64, target: u64, words: &[u64; 8]) -> Result<(), Error> {
            match number {
                $(syscall::$name::NUMBER => reread::<syscall::$name>(target, words),)*
                _ => Err(Error::NoCall),
            }
        }
    };
}

for_each_syscall!(decoders);

/// A call means what it writes.
fn reread<S: Syscall + PartialEq + Copy + std::fmt::Debug>(target: u64, words: &[u64; 8]) -> Result<(), Error> {
    let call = S::decode(target, words)?;
    let mut again = [0; 8];
    let target = call.encode(&mut |at, word| again[at] = word);
    assert_eq!(S::decode(target, &again), Ok(call), "{} has two spellings", S::NAME);
    assert!(again.iter().zip(words).all(|(is, was)| is == was || *is == 0), "{} wrote other words", S::NAME);
    Ok(())
}

fn system_call(bytes: &[u8]) -> Verdict {
    let words = core::array::from_fn(|at| word(bytes, 2 + at));
    decode(word(bytes, 0), word(bytes, 1), &words).map_or_else(refused, |()| Verdict::Accepted)
}

fn system_calls() -> Vec<Sample> {
    let of = |number: u64| {
        let words = [number, 0x0011_0000_0000_0001, 1, 1, 1, 0, 0, 0, 0, 0];
        words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>()
    };
    let accepted = syscall::TYPED.iter().filter(|call| system_call(&of(call.number)) == Verdict::Accepted);
    accepted.map(|call| Sample::accepted(&format!("{:03}.bin", call.number), of(call.number))).collect()
}

/// The types that travel in words, one after the other: a selector, then words.
pub(super) const WORDS: Parser = Parser {
    name: "words",
    read: words,
    errors: &["EBADHANDLE", "EINVAL", "EOVERLIMIT", "EPROTO"],
    samples: fields,
    ..PLAIN
};

/// Kinds of value that the selector chooses from.
const KINDS: u64 = 16;

fn words(bytes: &[u8]) -> Verdict {
    let words: [u64; 8] = core::array::from_fn(|at| word(bytes, 1 + at));
    let read = match word(bytes, 0) % KINDS {
        0 => canonical::<Quota>(&words),
        1 => canonical::<Name>(&words),
        2 => canonical::<Rights>(&words),
        3 => canonical::<Kind>(&words),
        4 => canonical::<QosClass>(&words),
        5 => canonical::<Option<Shard>>(&words),
        6 => canonical::<u8>(&words),
        7 => canonical::<u16>(&words),
        8 => canonical::<u32>(&words),
        9 => canonical::<Handle>(&words),
        10 => canonical::<Option<Handle>>(&words),
        11 => canonical::<Deadline>(&words),
        12 => canonical::<ServiceId>(&words),
        13 => extent(words[0]),
        14 => status(words[0]),
        _ => handle(words[0]),
    };
    read.map_or_else(refused, |()| Verdict::Accepted)
}

/// A value writes exactly the words that it was read from.
fn canonical<T: Field + Copy + std::fmt::Debug>(words: &[u64; 8]) -> Result<(), Error> {
    let value = T::read(words, 0)?;
    let mut again = [0; 8];
    value.write(0, &mut |at, word| again[at] = word);
    assert_eq!(again[..T::WORDS], words[..T::WORDS], "{value:?} has two spellings");
    Ok(())
}

fn extent(word: u64) -> Result<(), Error> {
    let extent = Extent::from_word(word).ok_or(Error::OverLimit)?;
    assert!(extent.length <= MAX_INLINE && extent.handles <= MAX_HANDLES);
    assert_eq!(extent.to_word(), word);
    Ok(())
}

fn status(word: u64) -> Result<(), Error> {
    match Status(word).error() {
        Some(Error::Protocol) => Err(Error::Protocol),
        Some(error) => {
            assert_eq!(Status::refused(error).0, word & 0xffff);
            Ok(())
        }
        None => Ok(()),
    }
}

fn handle(word: u64) -> Result<(), Error> {
    let handle = Handle::from_raw(word).ok_or(Error::BadHandle)?;
    let packed = Handle::pack(handle.index(), handle.shard(), handle.generation());
    assert!(packed == Some(handle) || handle.generation() == 0, "{word:#x} has three parts and nothing else");
    Ok(())
}

fn fields() -> Vec<Sample> {
    let sample = |kind: u64, words: [u64; 3]| {
        let all = [kind, words[0], words[1], words[2]];
        all.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>()
    };
    let name = Name::new("hello").expect("short").to_words();
    let mut samples: Vec<Sample> =
        (0..KINDS).map(|kind| Sample::accepted(&format!("{kind:02}.bin"), sample(kind, [1, 0, 0]))).collect();
    samples[1] = Sample::accepted("01.bin", sample(1, name));
    samples
}
