//! Small programs made of bytes, so that no compiler decides what the tests see.

/// One program header, fields as in the file.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) offset: u64,
    pub(crate) vaddr: u64,
    pub(crate) filesz: u64,
    pub(crate) memsz: u64,
}

/// An ELF file by its fields.
#[derive(Clone)]
pub(crate) struct Elf {
    pub(crate) magic: [u8; 4],
    pub(crate) class: u8,
    pub(crate) data: u8,
    pub(crate) kind: u16,
    pub(crate) machine: u16,
    pub(crate) version: u32,
    pub(crate) entry: u64,
    pub(crate) headers: Vec<Header>,
    pub(crate) payload: usize,
}

impl Elf {
    /// Text at 0x10000 (one page), data at 0x12000 with zeroes behind it.
    pub(crate) fn sound() -> Self {
        Self {
            magic: *b"\x7fELF",
            class: 2,
            data: 1,
            kind: 2,
            machine: 243,
            version: 1,
            entry: 0x1_0004,
            headers: vec![
                Header { kind: 1, flags: 5, offset: 0x1000, vaddr: 0x1_0000, filesz: 32, memsz: 32 },
                Header { kind: 1, flags: 6, offset: 0x1000, vaddr: 0x1_2000, filesz: 24, memsz: 0x2100 },
            ],
            payload: 32,
        }
    }

    /// The file: header, program headers, zeroes up to 0x1000, payload.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(self.magic);
        out.extend([self.class, self.data, 1, 0]);
        out.extend([0; 8]);
        out.extend(self.kind.to_le_bytes());
        out.extend(self.machine.to_le_bytes());
        out.extend(self.version.to_le_bytes());
        out.extend(self.entry.to_le_bytes());
        out.extend(64u64.to_le_bytes());
        out.extend(0u64.to_le_bytes());
        out.extend(5u32.to_le_bytes());
        for half in [64, 56, self.headers.len() as u16, 64, 0, 0] {
            out.extend(half.to_le_bytes());
        }
        for header in &self.headers {
            out.extend(header.kind.to_le_bytes());
            out.extend(header.flags.to_le_bytes());
            for word in [header.offset, header.vaddr, header.vaddr, header.filesz, header.memsz, 4096] {
                out.extend(word.to_le_bytes());
            }
        }
        out.resize(0x1000, 0);
        out.extend((0..self.payload).map(|n| (n * 37) as u8));
        out
    }
}

/// The sound program as bytes.
pub(crate) fn sound() -> Vec<u8> {
    Elf::sound().bytes()
}

/// Programs of different shapes, each accepted as it is and using its last byte.
pub(crate) fn all() -> Vec<Vec<u8>> {
    let one = Elf { headers: vec![Elf::sound().headers[0]], ..Elf::sound() };
    let mut inside = Elf::sound();
    inside.headers[1] = Header { kind: 1, flags: 6, offset: 0x1010, vaddr: 0x1_3010, filesz: 8, memsz: 0x1800 };
    let mut three = Elf::sound();
    three.headers.push(Header { kind: 1, flags: 4, offset: 0x1000, vaddr: 0x2_0000, filesz: 16, memsz: 16 });
    vec![sound(), one.bytes(), inside.bytes(), three.bytes()]
}
