//! The image of a made-up system: same bytes twice, every part where the header says, every refusal.

use loader::{Access, plan};
use nexus_abi::ServiceId;
use nexus_abi::image::{EntryKind, Image};

use super::{File, ImageError, Piece, assemble, strip, write};
use crate::manifest::{Resolved, parse};

const MANIFEST: &str = r#"
capacity = { frames = 100, threads = 9, messages = 9, slot_blocks = 9, processes = 9, endpoints = 9, notifications = 9, memories = 9, mappings = 99 }
policy = { services = "interactive", programs = "normal", raise = ["one"] }
restart = { first_ms = 10, most_ms = 100, limit = 5, window_ms = 1000 }
init = { quota = { frames = 32, threads = 1, messages = 1, slot_blocks = 1, processes = 4, endpoints = 5, notifications = 1, memories = 4, mappings = 8 }, stack_kib = 32 }
[[service]]
name = "two"
quota = { frames = 8 }
routes = { x = "one" }
[[service]]
name = "one"
quota = { frames = 8 }
grants = ["spawn"]
provides = ["x"]
[[program]]
name = "three"
quota = { frames = 4 }
"#;

fn resolved() -> Resolved {
    parse("test.toml", MANIFEST).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// An executable with text, data and a page and a half of zeroes, marked with its seed.
fn elf(seed: u8) -> Vec<u8> {
    let text: Vec<u8> = (0..5000u32).map(|n| (n as u8).wrapping_mul(7) ^ seed).collect();
    let pieces = [
        Piece { vaddr: 0x1_0000, bytes: &text, size: 5000, access: Access::ReadExecute },
        Piece { vaddr: 0x1_4000, bytes: &text[..100], size: 6144, access: Access::ReadWrite },
    ];
    write(0x1_0008, &pieces)
}

fn files() -> Vec<File> {
    let file = |(seed, name): (usize, &str)| File { name: name.to_owned(), elf: elf(seed as u8) };
    ["init", "one", "two", "three"].into_iter().enumerate().map(file).collect()
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (first, _) = assemble(&resolved(), &files()).expect("sound");
    let (second, _) = assemble(&resolved(), &files()).expect("sound");
    assert_eq!(first, second);
    let mut changed = files();
    changed[3].elf[0x1000] ^= 1;
    assert_ne!(first, assemble(&resolved(), &changed).expect("sound").0);
}

#[test]
fn every_entry_is_there_under_its_name_with_its_digest() {
    let (bytes, layout) = assemble(&resolved(), &files()).expect("sound");
    let image = Image::read(&bytes).expect("sealed");
    let names: Vec<_> = image.entries().map(|entry| entry.name.as_str().to_owned()).collect();
    assert_eq!(names, ["manifest", "one", "two", "app/boot/three"]);
    for entry in image.entries() {
        let contents = image.contents(&entry).expect("inside");
        assert_eq!(wiring::digest(contents), entry.digest);
    }
    let manifest = image.contents(&image.find("manifest").expect("there")).expect("inside");
    assert_eq!(wiring::Wiring::read(manifest), Ok(resolved().wiring));
    let program = image.find("app/boot/three").expect("there");
    assert_eq!((program.kind, program.id), (EntryKind::Program, ServiceId::program("app/boot/three")));
    let planned = plan(image.contents(&program).expect("inside")).expect("still a program");
    assert!(planned.segments()[0].in_place(), "text is mapped where it lies");
    assert_eq!(image.header().raisers, [ServiceId::service("one").0, 0, 0, 0]);
    assert_eq!(image.header().stack_pages, 8);
    assert_eq!(layout.total, bytes.len());
    assert_eq!(layout.rows.iter().map(|row| row.2).sum::<usize>(), bytes.len());
}

#[test]
fn init_is_laid_out_so_that_nobody_need_parse_it() {
    let (bytes, _) = assemble(&resolved(), &files()).expect("sound");
    let image = Image::read(&bytes).expect("sealed");
    let source = elf(0);
    let header = image.header();
    assert_eq!(header.entry_point, 0x1_0008);
    let [text, data, zero, none] = header.segments;
    assert_eq!((text.address, text.pages, text.access), (0x1_0000, 2, 5));
    assert_eq!((data.address, data.pages, data.access), (0x1_4000, 1, 3));
    assert_eq!((zero.address, zero.pages, zero.offset), (0x1_5000, 1, u64::MAX));
    assert_eq!(none.pages, 0);
    let at = text.offset as usize;
    assert_eq!(bytes[at..at + 5000], source[0x1000..0x1000 + 5000]);
    assert!(bytes[at + 5000..at + 8192].iter().all(|&byte| byte == 0));
}

#[test]
fn a_missing_or_broken_program_is_named() {
    let mut missing = files();
    missing.remove(2);
    assert!(matches!(assemble(&resolved(), &missing), Err(ImageError::Missing(name)) if name == "two"));
    let mut broken = files();
    broken[3].elf.truncate(100);
    assert!(matches!(assemble(&resolved(), &broken), Err(ImageError::Program(name, _)) if name == "three"));
    let mut no_init = files();
    no_init[0].elf[0] = 0;
    assert!(matches!(assemble(&resolved(), &no_init), Err(ImageError::Program(name, _)) if name == "init"));
}

#[test]
fn init_with_a_segment_inside_a_page_is_refused() {
    let mut files = files();
    let piece = Piece { vaddr: 0x1_0010, bytes: &[0; 64], size: 64, access: Access::ReadExecute };
    files[0].elf = write(0x1_0010, &[piece]);
    assert!(matches!(assemble(&resolved(), &files), Err(ImageError::InitLayout)));
}

#[test]
fn more_files_than_the_header_holds_are_refused() {
    let mut resolved = resolved();
    let one = resolved.wiring.programs[0];
    resolved.wiring.programs = vec![one; 60];
    assert!(matches!(assemble(&resolved, &files()), Err(ImageError::TooManyEntries(63))));
}

#[test]
fn stripping_keeps_the_memory_and_drops_the_rest() {
    let mut fat = elf(9);
    fat.extend([0xaa; 50_000]);
    let thin = strip(&fat).expect("sound");
    assert!(thin.len() < fat.len() - 40_000);
    let (before, after) = (plan(&fat).expect("sound"), plan(&thin).expect("sound"));
    for (old, new) in before.segments().iter().zip(after.segments()) {
        let bytes = |file: &[u8], s: &loader::Segment| file[s.offset as usize..(s.offset + s.bytes) as usize].to_vec();
        assert_eq!(bytes(&fat, old), bytes(&thin, new));
        assert_eq!((old.vaddr, old.pages, old.access), (new.vaddr, new.pages, new.access));
    }
}
