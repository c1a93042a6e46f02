//! A short list of fixed room: what boot collects before there is memory to collect into.

/// At most `N` values, in the order they came.
#[derive(Clone, Debug)]
pub struct List<T, const N: usize> {
    items: [T; N],
    length: usize,
}

/// The list has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl<T: Default, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        List { items: core::array::from_fn(|_| T::default()), length: 0 }
    }
}

impl<T, const N: usize> List<T, N> {
    /// Appends.
    pub fn push(&mut self, item: T) -> Result<(), Full> {
        *self.items.get_mut(self.length).ok_or(Full)? = item;
        self.length += 1;
        Ok(())
    }

    /// The values.
    pub fn as_slice(&self) -> &[T] {
        &self.items[..self.length.min(N)]
    }

    /// The values, to change.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.items[..self.length.min(N)]
    }
}
