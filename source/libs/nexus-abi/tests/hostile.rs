//! Whatever crosses a boundary damaged is refused or means the same: never a panic, never another meaning unnoticed.

use nexus_abi::field::Field;
use nexus_abi::image::{self, Entry, EntryKind, Header, Image, Segment};
use nexus_abi::layout::{HEAP_START, PAGE_SIZE};
use nexus_abi::message::{Extent, MAX_HANDLES, MAX_INLINE, Passing, Status};
use nexus_abi::start::{self, StartInfo, StartPage};
use nexus_abi::{Deadline, Error, Handle, Kind, Name, ProcessId, QosClass, Quota, Rights, ServiceId, Shard};

/// A small generator (xorshift64*), so that a failure names its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

fn round_trip<T: Field + PartialEq + Copy + std::fmt::Debug>(value: T) {
    let mut words = [0; 8];
    value.write(2, &mut |at, word| words[at] = word);
    assert_eq!(T::read(&words, 2), Ok(value));
    assert!(words[..2].iter().chain(&words[2 + T::WORDS..]).all(|&word| word == 0), "{value:?} wrote outside");
}

/// Random words either are refused or are exactly what the value they give would write.
fn canonical<T: Field + Copy + std::fmt::Debug>(random: &mut Random) {
    for _ in 0..2000 {
        let words: [u64; 8] = core::array::from_fn(|_| random.next() >> (random.next() % 64));
        if let Ok(value) = T::read(&words, 0) {
            let mut again = [0; 8];
            value.write(0, &mut |at, word| again[at] = word);
            assert_eq!(again[..T::WORDS], words[..T::WORDS], "{value:?} has two spellings");
        }
    }
}

#[test]
fn every_field_survives_its_round_trip() {
    let handle = Handle::pack(4095, 15, (1 << 48) - 1).expect("in range");
    round_trip(u64::MAX);
    round_trip(i64::MIN);
    round_trip(u32::MAX);
    round_trip(u16::MAX);
    round_trip(u8::MAX);
    round_trip(handle);
    round_trip(Some(handle));
    round_trip(None::<Handle>);
    (0..16).filter_map(Rights::from_bits).for_each(round_trip);
    Kind::ALL.iter().copied().for_each(round_trip);
    QosClass::ALL.into_iter().for_each(round_trip);
    round_trip(Deadline::NEVER);
    round_trip(ServiceId::service("timed"));
    round_trip(ProcessId(u64::MAX));
    round_trip(Name::new("exactly twenty-four byte").expect("24 bytes"));
    round_trip(Name::default());
    round_trip(Quota { frames: u32::MAX, timers: 3, ..Quota::default() });
}

#[test]
fn no_field_has_two_spellings() {
    let mut random = Random(0x00c0_ffee);
    canonical::<u32>(&mut random);
    canonical::<u16>(&mut random);
    canonical::<u8>(&mut random);
    canonical::<Handle>(&mut random);
    canonical::<Option<Handle>>(&mut random);
    canonical::<Option<Shard>>(&mut random);
    canonical::<Rights>(&mut random);
    canonical::<Kind>(&mut random);
    canonical::<QosClass>(&mut random);
    canonical::<Name>(&mut random);
    canonical::<Quota>(&mut random);
}

#[test]
fn values_that_overflow_their_type_are_refused_not_truncated() {
    assert_eq!(u8::read(&[256], 0), Err(Error::Invalid));
    assert_eq!(u16::read(&[1 << 16], 0), Err(Error::Invalid));
    assert_eq!(u32::read(&[1 << 32], 0), Err(Error::Invalid));
    assert_eq!(QosClass::read(&[4], 0), Err(Error::Invalid));
    assert_eq!(QosClass::read(&[256], 0), Err(Error::Invalid));
    assert_eq!(Rights::read(&[16], 0), Err(Error::Invalid));
    assert_eq!(Kind::read(&[0], 0), Err(Error::Invalid));
    assert_eq!(Kind::read(&[257], 0), Err(Error::Invalid));
    assert_eq!(Handle::read(&[0], 0), Err(Error::BadHandle));
}

#[test]
fn a_handle_is_its_three_parts_and_nothing_else() {
    for (index, shard, generation) in [(0, 0, 1), (4095, 15, (1 << 48) - 1), (1, 0, 1), (77, 3, 12345)] {
        let handle = Handle::pack(index, shard, generation).expect("in range");
        assert_eq!((handle.index(), handle.shard(), handle.generation()), (index, shard, generation));
    }
    for (index, shard, generation) in [(4096, 0, 1), (0, 16, 1), (0, 0, 0), (0, 0, 1 << 48)] {
        assert_eq!(Handle::pack(index, shard, generation), None);
    }
}

#[test]
fn names_are_short_printable_and_padded_with_nothing() {
    assert_eq!(Name::new("this name has 25 letters."), None);
    assert_eq!(Name::new("tab\t"), None);
    assert_eq!(Name::new("ä"), None);
    let behind = [u64::from_le_bytes(*b"name\0xyz"), 0, 0];
    assert_eq!(Name::from_words(behind), None);
}

#[test]
fn extents_and_statuses_know_their_bounds() {
    for passing in [Passing::Lend, Passing::Move] {
        let extent = Extent { length: MAX_INLINE, handles: MAX_HANDLES, passing };
        assert_eq!(Extent::from_word(extent.to_word()), Some(extent));
    }
    let beyond = [MAX_INLINE as u64 + 1, (MAX_HANDLES as u64 + 1) << 16, 1 << 25, u64::MAX];
    assert!(beyond.into_iter().all(|word| Extent::from_word(word).is_none()));
    for &error in Error::ALL {
        assert_eq!(Status::refused(error).error(), Some(error));
        assert_eq!(Error::from_number(error.number()), Some(error));
    }
    assert_eq!(Status(Status::EXTENDED | Status::ONE_WAY).error(), None);
    assert_eq!(Status(9999).error(), Some(Error::Protocol));
}

fn start_page() -> ([u8; PAGE_SIZE], usize) {
    let info = StartInfo {
        timebase: 10_000_000,
        ipc_page: 0x20_0010_0000,
        process: ProcessId(1 << 32 | 2),
        service: ServiceId::program("app/boot/hello"),
        heap_pages: 64,
    };
    let name = |text| Name::new(text).expect("short");
    let handles = [
        (name("log"), Handle::pack(1, 0, 1).expect("in range")),
        (name("stdout"), Handle::pack(2, 1, 9).expect("in range")),
    ];
    let mut page = [0; PAGE_SIZE];
    let length = start::write(&mut page, &info, &handles, &["hello", "", "wörld"], &["HOME=/"]).expect("fits");
    (page, length)
}

#[test]
fn a_start_page_says_what_was_written() {
    let (page, length) = start_page();
    let start = StartPage::read(&page[..length]).expect("whole");
    assert_eq!(start.info().heap_pages, 64);
    assert_eq!(start.handle("stdout").map(Handle::index), Some(2));
    assert_eq!(start.handle("stdin"), None);
    assert_eq!(start.arguments().collect::<Vec<_>>(), ["hello", "", "wörld"]);
    assert_eq!(start.environment().collect::<Vec<_>>(), ["HOME=/"]);
}

#[test]
fn a_start_page_that_does_not_fit_is_over_limit() {
    let (mut page, info) = ([0; PAGE_SIZE], StartPage::read(&start_page().0[..start_page().1]).expect("whole").info());
    let long = "x".repeat(PAGE_SIZE);
    assert_eq!(start::write(&mut page, &info, &[], &[&long], &[]), Err(Error::OverLimit));
    let handle = (Name::default(), Handle::pack(1, 0, 1).expect("in range"));
    assert_eq!(start::write(&mut page, &info, &[handle; 49], &[], &[]), Err(Error::OverLimit));
    assert_eq!(start::write(&mut page, &info, &[], &[""; 256], &[]), Err(Error::OverLimit));
}

#[test]
fn every_truncation_of_a_start_page_is_refused() {
    let (page, length) = start_page();
    for cut in 0..length {
        assert!(StartPage::read(&page[..cut]).is_err(), "cut to {cut}");
    }
    assert!(StartPage::read(&page[..length + 1]).is_err());
}

#[test]
fn every_flipped_bit_of_a_start_page_is_refused_or_stays_in_its_field() {
    let (page, length) = start_page();
    let whole = read_all(&page[..length]).expect("whole");
    for bit in 0..length * 8 {
        let mut damaged = page;
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Some(read) = read_all(&damaged[..length]) {
            let changed = read.iter().zip(&whole).filter(|(is, was)| is != was).count();
            assert!(read.len() == whole.len() && changed <= 1 || bit / 8 < 64, "bit {bit}: {read:?}");
        }
    }
}

/// Everything that a program can read from a start page, item by item; none if it is refused.
fn read_all(bytes: &[u8]) -> Option<Vec<String>> {
    let start = StartPage::read(bytes).ok()?;
    let handles = start.handles().map(|(name, handle)| format!("{}={:x}", name.as_str(), handle.raw()));
    let texts = start.arguments().chain(start.environment()).map(String::from);
    Some([format!("{:?}", start.info())].into_iter().chain(handles).chain(texts).collect())
}

fn header() -> Header {
    let page = PAGE_SIZE as u64;
    let mut header =
        Header { length: 4 * page, entry_point: 0x1_0000, stack_pages: 16, entries: 2, ..Header::default() };
    header.segments[0] = Segment { offset: page, address: 0x1_0000, pages: 1, access: 5 };
    header.segments[1] = Segment { offset: u64::MAX, address: 0x1_1000, pages: 1, access: 3 };
    header
}

fn boot_image() -> Vec<u8> {
    let entry = |name, kind, at: u64, length| Entry {
        name: Name::new(name).expect("short"),
        id: ServiceId::program(name),
        kind,
        offset: at * PAGE_SIZE as u64,
        length,
        digest: [7; 32],
    };
    let mut bytes: Vec<u8> = (0..4 * PAGE_SIZE).map(|at| at as u8).collect();
    let entries = [entry("manifest", EntryKind::Manifest, 2, 64), entry("hello", EntryKind::Program, 3, 4096)];
    image::seal(&mut bytes, &header(), &entries).expect("sound");
    bytes
}

#[test]
fn an_image_says_what_was_sealed() {
    let bytes = boot_image();
    let image = Image::read(&bytes).expect("whole");
    assert_eq!(*image.header(), header());
    let hello = image.find("hello").expect("there");
    assert_eq!(image.contents(&hello), Some(&bytes[3 * PAGE_SIZE..]));
    assert_eq!(image.entry(2), None);
    assert_eq!(image.find("nobody"), None);
}

#[test]
fn an_image_may_have_room_behind_it() {
    let mut bytes = boot_image();
    bytes.extend([0xaa; 100]);
    assert!(Image::read(&bytes).is_ok());
}

#[test]
fn every_truncation_of_an_image_is_refused() {
    let bytes = boot_image();
    for cut in (0..PAGE_SIZE).chain((PAGE_SIZE..bytes.len()).step_by(97)).chain([bytes.len() - 1]) {
        assert!(Image::read(&bytes[..cut]).is_err(), "cut to {cut}");
    }
}

#[test]
fn every_flipped_bit_of_header_and_init_is_noticed() {
    let bytes = boot_image();
    for bit in 0..2 * PAGE_SIZE * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Image::read(&damaged).is_err(), "bit {bit} is not covered");
    }
}

#[test]
fn an_image_with_a_wrong_shape_cannot_be_sealed() {
    let page = PAGE_SIZE as u64;
    let wrong: [fn(&mut Header); 21] = [
        |header| header.length = 0,
        |header| header.length += 1,
        |header| header.length = 1 << 40,
        |header| header.stack_pages = 0,
        |header| header.stack_pages = 1025,
        |header| header.segments[0].offset = 100,
        |header| header.segments[0].pages = u64::MAX / 4096,
        |header| header.segments[0].address = 1,
        |header| header.segments[0].address = 0xf000,
        |header| header.segments[0].address = u64::MAX << 12,
        |header| header.segments[1].address = HEAP_START,
        |header| header.segments[1].address = 0x1_0000,
        |header| (header.segments[1].address, header.segments[1].pages) = (0x1_1000, 1 << 40),
        |header| header.segments[0].access = 0,
        |header| header.segments[0].access = 7,
        |header| header.segments[0].access = 13,
        |header| header.segments[1].access = 6,
        |header| header.entry_point = 0x1_1000,
        |header| header.entry_point = 0x1_0001,
        |header| header.entry_point = 0,
        |header| header.segments = Default::default(),
    ];
    for (at, change) in wrong.into_iter().enumerate() {
        let (mut bytes, mut header) = (vec![0; 4 * PAGE_SIZE], header());
        header.entries = 0;
        change(&mut header);
        assert!(image::seal(&mut bytes, &header, &[]).is_err(), "case {at}");
    }
    assert_eq!(image::seal(&mut vec![0; page as usize - 1], &header(), &[]), Err(Error::Invalid));
}
