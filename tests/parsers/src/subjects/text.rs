//! What people type, and bytes that programs pass each other beside messages.

use super::{PLAIN, refused};
use crate::{Parser, Sample, Verdict};
use nexus_abi::layout::PAGE_SIZE;
use nexus_ipc::ring::{CAPACITY, MAX_RECORD, Reader, Shared, Writer};
use nexus_proto::exec::{pack, unpack};
use nexus_proto::record::{Level, MAX_BYTES, MAX_FIELDS, Record};
use shell::{Line, Place, parse};
use std::cell::RefCell;

/// A line of the shell.
pub(super) const SHELL_LINE: Parser = Parser {
    name: "shell-line",
    read: shell_line,
    errors: &["not-text", "quote", "command", "ampersand", "backslash"],
    tokens: &["'", "\"", "\\", "|", "&", " ", "\\\"", "ü", "run"],
    samples: || {
        vec![
            Sample::accepted("words.txt", br#"run a 'b c' "d \"e\" \n \x" f\ g '' x'y'"z" | echo &"#.to_vec()),
            Sample::accepted("empty.txt", b"  ".to_vec()),
            Sample::refused("quote", "open.txt", b"a 'b".to_vec()),
            Sample::refused("command", "bars.txt", b"a||b".to_vec()),
            Sample::refused("ampersand", "middle.txt", b"a & b".to_vec()),
            Sample::refused("backslash", "end.txt", b"a\\".to_vec()),
            Sample::refused("not-text", "latin1.txt", b"\xe4".to_vec()),
        ]
    },
    ..PLAIN
};

fn shell_line(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Verdict::Refused("not-text") };
    match parse(text) {
        Ok(line) => {
            assert!(line.stages.iter().all(|stage| !stage.is_empty()), "every stage has a word");
            assert_eq!(parse(&quoted(&line)), Ok(line), "quoted word by word it means the same");
            Verdict::Accepted
        }
        Err(failure) => {
            assert_eq!(failure.name, "EINVAL");
            Verdict::Refused(match failure.text.as_str() {
                "a quote is not closed" => "quote",
                "a command is missing beside `|` or `&`" => "command",
                "`&` stands at the end only" => "ampersand",
                "nothing follows the backslash" => "backslash",
                _ => "another",
            })
        }
    }
}

/// The line with every character escaped.
fn quoted(line: &Line) -> String {
    let word = |word: &String| match word.is_empty() {
        true => "''".to_string(),
        false => word.chars().flat_map(|character| ['\\', character]).collect(),
    };
    let stages: Vec<String> =
        line.stages.iter().map(|stage| stage.iter().map(word).collect::<Vec<_>>().join(" ")).collect();
    let end = if line.place == Place::Background { "&" } else { "" };
    stages.join("|") + end
}

/// Packed arguments of a program.
pub(super) const EXEC_ARGUMENTS: Parser = Parser {
    name: "exec-arguments",
    read: |bytes| match unpack(bytes) {
        Ok(texts) => {
            assert_eq!(pack(texts).as_deref(), Ok(bytes), "packed again it is the same");
            Verdict::Accepted
        }
        Err(error) => refused(error),
    },
    errors: &["EINVAL"],
    tokens: &["\0", "ü"],
    samples: || {
        vec![
            Sample::accepted("three.bin", b"one\0\0three\0".to_vec()),
            Sample::accepted("none.bin", Vec::new()),
            Sample::refused("EINVAL", "open.bin", b"one".to_vec()),
        ]
    },
    ..PLAIN
};

/// A record for the log.
pub(super) const RECORD: Parser = Parser {
    name: "record",
    read: record,
    errors: &["EINVAL"],
    tokens: &["=", "\0", "sender=", "key=value\0"],
    samples: || {
        let fields = "decision=deny\0count=7\0";
        let whole = Record { level: Level::Info, target: "audit", text: "a grant", fields };
        let bare = Record { level: Level::Trace, target: "", text: "", fields: "" };
        let bytes = |record: &Record<'_>| record.write(&mut [0; MAX_BYTES]).map(<[u8]>::to_vec).expect("sound");
        let mut claim = bytes(&Record { fields: "xender=init\0", ..whole });
        let at = claim.iter().position(|&byte| byte == b'x').expect("it was just written");
        claim[at] = b's';
        vec![
            Sample::accepted("whole.bin", bytes(&whole)),
            Sample::accepted("bare.bin", bytes(&bare)),
            Sample::refused("EINVAL", "identity.bin", claim),
        ]
    },
    ..PLAIN
};

fn record(bytes: &[u8]) -> Verdict {
    match Record::read(bytes) {
        Ok(record) => {
            let mut buffer = [0; MAX_BYTES];
            assert_eq!(record.write(&mut buffer), Ok(bytes), "it is exactly what the writer writes");
            assert!(record.pairs().count() <= MAX_FIELDS);
            let claims = |(key, _): (&str, &str)| matches!(key, "sender" | "service" | "process" | "pid");
            assert!(!record.pairs().any(claims), "no field claims an identity");
            Verdict::Accepted
        }
        Err(error) => refused(error),
    }
}

/// A ring of records in memory that its writer may fill with anything.
pub(super) const RING: Parser =
    Parser { name: "ring", read: ring, errors: &["ECORRUPT", "empty"], samples: rings, ..PLAIN };

/// A page that two programs would see. Beyond its end an access panics.
struct Page(RefCell<Vec<u8>>);

impl Shared for &Page {
    fn load(&self, at: usize) -> u64 {
        let mut word = [0; 8];
        self.read(at, &mut word);
        u64::from_le_bytes(word)
    }

    fn store(&self, at: usize, word: u64) {
        self.write(at, &word.to_le_bytes());
    }

    fn publish(&self, at: usize, word: u64) {
        self.store(at, word);
    }

    fn observe(&self, at: usize) -> u64 {
        self.load(at)
    }

    fn read(&self, at: usize, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0.borrow()[at..at + bytes.len()]);
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        self.0.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

fn ring(bytes: &[u8]) -> Verdict {
    let mut memory = bytes.to_vec();
    memory.resize(PAGE_SIZE, 0);
    let page = Page(RefCell::new(memory));
    let mut reader = Reader::over(&page);
    let (mut records, mut corrupt) = (0, 0);
    let mut buffer = [0; MAX_RECORD];
    while let Some(next) = reader.next(&mut buffer) {
        match next {
            Ok(record) => records += usize::from(record.len() <= MAX_RECORD),
            Err(error) => corrupt += usize::from(error.name() == "ECORRUPT"),
        }
        assert!(records + corrupt <= CAPACITY / 8 + 1, "it comes to an end");
    }
    match (records, corrupt) {
        (_, 1..) => Verdict::Refused("ECORRUPT"),
        (0, 0) => Verdict::Refused("empty"),
        _ => Verdict::Accepted,
    }
}

fn rings() -> Vec<Sample> {
    let page = Page(RefCell::new(vec![0; PAGE_SIZE]));
    let mut writer = Writer::over(&page);
    for record in [&b"first"[..], b"", &[7; 40]] {
        writer.put(record).expect("there is room");
    }
    let whole: Vec<u8> = page.0.borrow()[..160].to_vec();
    let mut long = whole.clone();
    long[64] = 0xff;
    for _ in 0..3 {
        writer.put(&[9; 1000]).expect("there is room");
    }
    let full = page.0.borrow()[..3200].to_vec();
    vec![
        Sample::accepted("three.bin", whole),
        Sample::accepted("full.bin", full),
        Sample::refused("empty", "fresh.bin", vec![0; 64]),
        Sample::refused("ECORRUPT", "length.bin", long),
    ]
}
