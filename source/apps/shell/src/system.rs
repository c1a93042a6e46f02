//! What the shell asks of the machine, as a trait: real services on the target, a fake under test.

use crate::Place;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use nexus_abi::{Error, Limits, QosClass};
use nexus_proto::policy::Rule;
use nexus_proto::record::Level;
use nexus_proto::timer::{Counted, Lateness};

/// How a process or program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It ended itself with this status.
    Exited(i64),
    /// Somebody ended it.
    Killed(i64),
    /// A fault ended it.
    Faulted {
        /// The `scause` code.
        cause: u64,
        /// Where it was.
        pc: u64,
        /// What it touched.
        address: u64,
    },
}

/// Whether a process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does.
    Running,
    /// It ended, and its record is still there.
    Ended(End),
}

/// What a process may use of the CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The weight of its threads inside their class.
    pub shares: u32,
    /// CPUs, one bit each.
    pub affinity: u64,
    /// Microseconds of CPU time in how many; none: any time.
    pub budget_us: Option<(u64, u64)>,
}

/// One row of `ps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The number that people type.
    pub pid: u32,
    /// The display name.
    pub name: String,
    /// Its class; none once it ended.
    pub class: Option<QosClass>,
    /// What it may use of the CPUs; none once it ended.
    pub terms: Option<Terms>,
    /// Whether it lives.
    pub state: State,
    /// CPU time in microseconds.
    pub cpu_us: u64,
    /// Frames that it owns.
    pub frames: u64,
    /// Handles that it holds.
    pub handles: u64,
    /// Its threads.
    pub threads: u64,
}

/// Why a rest is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// The time is.
    Over,
    /// Ctrl-C was pressed.
    Interrupted,
}

/// One row of `cpus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// The CPU's number.
    pub number: u32,
    /// The hart behind it.
    pub hart: u64,
    /// Whether it runs.
    pub online: Status,
    /// Microseconds with work.
    pub busy_us: u64,
    /// Microseconds without.
    pub idle_us: u64,
    /// Distinct threads that ran on it.
    pub tasks: u64,
    /// Switches between threads.
    pub switches: u64,
    /// Timer interrupts taken.
    pub timer_interrupts: u64,
    /// Device interrupts taken.
    pub device_interrupts: u64,
}

/// Of a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It runs.
    Up,
    /// It does not.
    Down,
}

/// One row of `mem`: an object kind, its use and its bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The kind.
    pub kind: &'static str,
    /// In use.
    pub used: u64,
    /// At most.
    pub capacity: u64,
}

/// One row of `services`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The service's name.
    pub name: String,
    /// Its process; none while it has none.
    pub pid: Option<u32>,
    /// How it is.
    pub state: &'static str,
    /// How often it was started again.
    pub restarts: u32,
}

/// One row of `timers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timers {
    /// The class.
    pub class: QosClass,
    /// Its window in microseconds.
    pub window_us: u64,
    /// What happened to its timers.
    pub counted: Counted,
    /// How late they were.
    pub lateness: Lateness,
}

/// One row of `caps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The slot.
    pub index: u32,
    /// What it names.
    pub kind: &'static str,
    /// Letters of the rights.
    pub rights: String,
    /// The badge.
    pub badge: u64,
    /// The object's number.
    pub object: u64,
    /// Which of the kernel's shards keeps the object.
    pub shard: u8,
    /// Of an endpoint: who receives there.
    pub to: Option<String>,
}

/// Why somebody may use something, or may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The rule.
    pub rule: Rule,
    /// The permissions that it gives.
    pub permits: u64,
    /// Who delegated it, if somebody did.
    pub by: String,
}

/// Which records are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// So many of the last ones.
    pub count: u32,
    /// Of this level, or one that matters more.
    pub level: Level,
    /// Of this sender; none: of everybody.
    pub sender: Option<String>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the log.
    pub number: u64,
    /// When it came, in microseconds since the start.
    pub at_us: u64,
    /// How much it matters.
    pub level: Level,
    /// Whose it is, by the kernel's word.
    pub sender: String,
    /// The sender's process, where the log knows it.
    pub pid: Option<u32>,
    /// Which part of the sender it is about.
    pub target: String,
    /// What happened.
    pub text: String,
    /// What happened, as keys and values.
    pub fields: Vec<(String, String)>,
}

/// Why nothing of a line of programs runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotStarted {
    /// The program that could not be started, counted from 0.
    pub stage: usize,
    /// Why not.
    pub error: Error,
}

impl From<Error> for NotStarted {
    fn from(error: Error) -> NotStarted {
        NotStarted { stage: 0, error }
    }
}

/// What ended a wait in the foreground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The program.
    Ended(End),
    /// Ctrl-C.
    Interrupted,
}

/// What `reboot` and `shutdown` do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Start again.
    Reset,
    /// Stop with this status.
    Off(u32),
}

/// The machine. Every method answers within a bound; an absent service is [`Error::Unavailable`].
pub trait System {
    /// All processes, and programs that ended and were not waited for.
    fn processes(&mut self) -> Result<Vec<Process>, Error>;
    /// All CPUs.
    fn cpus(&mut self) -> Result<Vec<Cpu>, Error>;
    /// Every bounded resource.
    fn memory(&mut self) -> Result<Vec<Memory>, Error>;
    /// All services.
    fn services(&mut self) -> Result<Vec<Program>, Error>;
    /// What a service or process holds.
    fn capabilities(&mut self, pid: u32) -> Result<Vec<Slot>, Error>;
    /// Starts programs whose streams are joined in a row; answers their numbers. In the foreground they have keys and
    /// screen until they were waited for.
    fn start(&mut self, stages: &[Vec<String>], place: Place) -> Result<Vec<u32>, NotStarted>;
    /// Waits until the program ends, or Ctrl-C is pressed. `ENOENT` if no such program was started here.
    fn wait(&mut self, pid: u32) -> Result<Waited, Error>;
    /// Ends a program.
    fn kill_program(&mut self, pid: u32) -> Result<(), Error>;
    /// Sets the class of a program.
    fn set_class(&mut self, pid: u32, class: QosClass) -> Result<(), Error>;
    /// Sets what a program may use of the CPUs.
    fn limit(&mut self, pid: u32, limits: Limits) -> Result<(), Error>;
    /// The timers of every class.
    fn timers(&mut self) -> Result<Vec<Timers>, Error>;
    /// Ends a service; who started it starts it again.
    fn kill_service(&mut self, name: &str) -> Result<(), Error>;
    /// What policy says of an interface to somebody of this name. `ENOENT`: nobody is called so.
    fn explain(&mut self, subject: &str, interface: &str) -> Result<Explanation, Error>;
    /// The last records that fit a query. `ENOENT`: nobody is called as its sender.
    fn records(&mut self, query: &Query) -> Result<Vec<Entry>, Error>;
    /// Shows them, and then each as it comes, until Ctrl-C.
    fn follow(&mut self, query: &Query, show: &mut dyn FnMut(&Entry)) -> Result<(), Error>;
    /// Does nothing for a while; Ctrl-C ends it.
    fn rest(&mut self, time: Duration) -> Result<Rest, Error>;
    /// Microseconds since the start of the machine.
    fn uptime_us(&mut self) -> u64;
    /// Stops or resets the machine; comes back only with an error.
    fn power(&mut self, power: Power) -> Error;
}
