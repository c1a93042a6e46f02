//! What the command line asks for.

use std::time::Duration;

pub(super) const USAGE: &str = "usage: cargo xtask fuzz [--calls N] [--seed N] [--from CHILD] [--harts N] [--counted] [--twice | --slices MINUTES]";

/// Calls of one boot where there are many.
pub(super) const SLICE: u64 = 5_000_000;
const CALLS: u64 = 200_000;
const SEED: u64 = 0x5eed;

/// How the calls are spread over boots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// All in one.
    AtOnce,
    /// All in one, and once more: both must be the same.
    Twice,
    /// In several, for about this long; the next run goes on where this one stops.
    Slices(Duration),
}

/// What the emulator's clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// The host's: fast.
    Host,
    /// Instructions: the same run every time.
    Instructions,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// What all random numbers come from.
    pub(super) seed: u64,
    /// System calls to make at least; 0: the image is built and that is all.
    pub(super) calls: u64,
    /// Number of the first child.
    pub(super) first: u64,
    /// Harts of the machine. Counted instructions are for one.
    pub(super) harts: u64,
    pub(super) clock: Clock,
    pub(super) pace: Pace,
}

impl Order {
    /// Reads the arguments.
    pub(super) fn read(args: &[String]) -> Result<Order, String> {
        let mut order = Order { seed: SEED, calls: CALLS, first: 0, harts: 1, clock: Clock::Host, pace: Pace::AtOnce };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut number = || {
                let text = args.next().ok_or_else(|| format!("`{arg}` wants a number"))?;
                text.parse::<u64>().map_err(|_| format!("`{text}` is no number"))
            };
            match arg.as_str() {
                "--calls" => order.calls = number()?,
                "--seed" => order.seed = number()?,
                "--from" => order.first = number()?,
                "--harts" => order.harts = number()?,
                "--counted" => order.clock = Clock::Instructions,
                "--twice" => (order.clock, order.pace) = (Clock::Instructions, Pace::Twice),
                "--slices" => order.pace = Pace::Slices(Duration::from_secs(60 * number()?)),
                other => return Err(format!("`{other}` is unknown")),
            }
        }
        match (order.harts, order.clock) {
            (1, _) | (2..=8, Clock::Host) => Ok(order),
            (2..=8, Clock::Instructions) => Err("counted instructions are for one hart".to_string()),
            (harts, _) => Err(format!("a machine has 1 to 8 harts, not {harts}")),
        }
    }
}
