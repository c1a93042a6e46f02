//! What the table says of a suite.

/// When a suite runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tier {
    /// In every `make test`.
    Test,
    /// With `--daily` and above.
    Daily,
    /// With `--full`.
    Full,
}

/// What must be there before a suite can run.
#[derive(Clone, Copy)]
pub(super) struct Tool {
    /// Its version, or why it does not count as present.
    pub(super) look: fn() -> Result<String, String>,
    /// What its absence means.
    pub(super) absence: Absence,
}

/// What the absence of a tool means for the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// The suite counts as failed.
    Fails,
    /// The suite is reported as not run and counts as neither.
    IsReported,
}

/// One row: a command that exits with 0 if and only if what it checks holds.
pub(super) struct Suite {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) tier: Tier,
    pub(super) tools: &'static [Tool],
    /// Environment of the command.
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// The program and its arguments; `cargo` is the cargo that runs this tool.
    pub(super) command: &'static [&'static str],
}
