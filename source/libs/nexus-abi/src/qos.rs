//! Quality-of-service classes.

/// Scheduling class. A ready thread of a higher class runs before any of a lower one, a starvation guard apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum QosClass {
    /// Runs when nothing else wants to.
    Idle = 0,
    /// The default of every spawned task.
    Normal = 1,
    /// Somebody waits for it.
    Interactive = 2,
    /// Short and urgent; exists only with a budget.
    PerfBurst = 3,
}

impl QosClass {
    /// How many there are.
    pub const COUNT: usize = 4;
    /// Every class, lowest first.
    pub const ALL: [QosClass; 4] = [QosClass::Idle, QosClass::Normal, QosClass::Interactive, QosClass::PerfBurst];

    /// The class with this wire value. No clamp, no truncation.
    pub const fn from_wire(value: u64) -> Option<QosClass> {
        match value {
            0 => Some(QosClass::Idle),
            1 => Some(QosClass::Normal),
            2 => Some(QosClass::Interactive),
            3 => Some(QosClass::PerfBurst),
            _ => None,
        }
    }

    /// The name that listings and manifests use.
    pub const fn name(self) -> &'static str {
        match self {
            QosClass::Idle => "idle",
            QosClass::Normal => "normal",
            QosClass::Interactive => "interactive",
            QosClass::PerfBurst => "perfburst",
        }
    }
}
