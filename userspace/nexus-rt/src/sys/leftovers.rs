//! What registers hold that a program did not put there: for proofs that nothing of others is left in them.

/// Registers at the first instruction of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// `x1` to `x31`, but for `sp`, `a0` and `a1`, which its creator chose.
    pub integer: [u64; 28],
    /// `f0` to `f31`, as bits.
    pub float: [u64; 32],
}
