//! Part of a memory object: what the badge of a capability to memory says.
//!
//! Nobody is called through memory, so there a badge says which pages the holder reaches. 0 is the whole object. Whoever
//! derives names pages of what the source reaches, so a part only ever gets smaller, as rights do; to its holder the first
//! of them is page 0.

/// A run of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// First page.
    pub offset: u32,
    /// Pages, not 0.
    pub pages: u32,
}

impl Part {
    /// The badge that says it.
    pub const fn badge(self) -> u64 {
        (self.offset as u64) << 32 | self.pages as u64
    }

    /// What a badge that is not 0 says.
    pub const fn from_badge(badge: u64) -> Part {
        Part { offset: (badge >> 32) as u32, pages: badge as u32 }
    }

    /// Of this part the pages that `inner` counts from its first one; `None` if there is none, or not all are inside.
    pub const fn part(self, inner: Part) -> Option<Part> {
        match inner.offset.checked_add(inner.pages) {
            Some(end) if inner.pages > 0 && end <= self.pages => {
                Some(Part { offset: self.offset + inner.offset, pages: inner.pages })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_says_a_part() {
        let part = Part { offset: 3, pages: 5 };
        assert_eq!((part.badge(), Part::from_badge(part.badge())), (3 << 32 | 5, part));
    }

    #[test]
    fn a_part_of_a_part_is_counted_from_its_first_page() {
        let part = Part { offset: 10, pages: 4 };
        let inner = |offset, pages| part.part(Part { offset, pages });
        assert_eq!(inner(0, 4), Some(part));
        assert_eq!(inner(3, 1), Some(Part { offset: 13, pages: 1 }));
        for (offset, pages) in [(0, 0), (0, 5), (4, 1), (3, 2), (u32::MAX, 2), (1, u32::MAX)] {
            assert_eq!(inner(offset, pages), None, "{offset}, {pages}");
        }
    }
}
