//! The device tree as it lies in memory: one walk over its nodes.
//!
//! Every read is checked against the blob, so a damaged one is refused and never followed, and nothing here can panic.
//! Source: Devicetree Specification 0.4, chapter 5.

/// The first number of a device tree.
pub(crate) const MAGIC: u32 = 0xd00d_feed;
/// The layout that this reads.
const VERSION: usize = 17;
/// Levels of nodes that a walk shows, the root's included; what is deeper is passed over.
const LEVELS: usize = 4;

/// A device tree.
pub(crate) struct Tree<'a> {
    structure: Cursor<'a>,
    reservations: &'a [u8],
}

impl<'a> Tree<'a> {
    /// The tree in these bytes, which are all of it; `None`: they are none, or it is cut off.
    pub(crate) fn new(blob: &'a [u8]) -> Option<Tree<'a>> {
        let (header, _) = blob.first_chunk::<40>()?.as_chunks::<4>();
        let [magic, bytes, structure, strings, reservations, version, oldest, _, strings_size, size] =
            core::array::from_fn(|at| integer(&header[at]) as usize);
        if magic != MAGIC as usize || bytes != blob.len() || version < VERSION || oldest > VERSION {
            return None;
        }
        let rest = blob.get(structure..)?.get(..size)?;
        let strings = blob.get(strings..)?.get(..strings_size)?;
        Some(Tree { structure: Cursor { rest, strings }, reservations: blob.get(reservations..)? })
    }

    /// Address and size of each range of memory that programs must leave alone.
    pub(crate) fn reservations(&self) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        let (entries, _) = self.reservations.as_chunks::<16>();
        entries.iter().map(|entry| (integer(&entry[..8]), integer(&entry[8..]))).take_while(|entry| *entry != (0, 0))
    }

    /// Calls `visit` with each node behind those that it is in, the root first. `None`: the tree is damaged.
    pub(crate) fn walk<E>(&self, mut visit: impl FnMut(&[Node<'a>]) -> Result<(), E>) -> Option<Result<(), E>> {
        let mut cursor = self.structure;
        let (mut path, mut depth) = ([Node::default(); LEVELS], 0_usize);
        loop {
            match cursor.next()? {
                Token::Begin(name) => {
                    if let Some(node) = path.get_mut(depth) {
                        *node = Node { name, inside: cursor };
                    }
                    depth += 1;
                    if let Some(Err(error)) = path.get(..depth).map(&mut visit) {
                        return Some(Err(error));
                    }
                }
                Token::Property(..) => {}
                Token::End => depth = depth.checked_sub(1)?,
                Token::Last => return (depth == 0).then_some(Ok(())),
            }
        }
    }
}

/// A node.
#[derive(Clone, Copy, Default)]
pub(crate) struct Node<'a> {
    name: &'a [u8],
    /// Its properties, then its children.
    inside: Cursor<'a>,
}

impl<'a> Node<'a> {
    /// True if it is called so, whatever its address.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.split(|&byte| byte == b'@').next() == Some(name.as_bytes())
    }

    /// The value of a property.
    pub(crate) fn value(&self, name: &str) -> Option<&'a [u8]> {
        let mut inside = self.inside;
        while let Token::Property(found, value) = inside.next()? {
            if found.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&0)) {
                return Some(value);
            }
        }
        None
    }
}

/// What stands in a structure block.
enum Token<'a> {
    /// A node begins: its name.
    Begin(&'a [u8]),
    /// A property of the node: its name, with all strings that follow it, and its value.
    Property(&'a [u8], &'a [u8]),
    /// The node ends.
    End,
    /// The tree ends.
    Last,
}

/// What is left of a structure block, and the names of all properties.
#[derive(Clone, Copy, Default)]
struct Cursor<'a> {
    rest: &'a [u8],
    strings: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            return Some(match self.number()? {
                1 => {
                    let length = self.rest.iter().position(|&byte| byte == 0)?;
                    Token::Begin(self.take(length + 1)?.get(..length)?)
                }
                2 => Token::End,
                3 => {
                    let (length, name) = (self.number()?, self.number()?);
                    Token::Property(self.strings.get(name..)?, self.take(length)?)
                }
                // Nothing: somebody took out what was here.
                4 => continue,
                9 => Token::Last,
                _ => return None,
            });
        }
    }

    fn number(&mut self) -> Option<usize> {
        self.take(4).map(|number| integer(number) as usize)
    }

    /// The next bytes; what comes behind them begins at a multiple of four.
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = (self.rest.get(..length)?, self.rest.get(length.next_multiple_of(4)..)?);
        self.rest = rest;
        Some(taken)
    }
}

/// The number that is written in at most eight bytes, the highest first.
#[inline(never)]
pub(crate) fn integer(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
