//! Kills without a rest: the pause before a restart doubles, then the service is given up, until somebody restarts it.

use core::time::Duration;

use nexus_abi::syscall::Wait;
use nexus_abi::{Error, Handle};
use nexus_proto::supervisor::{self, State};
use nexus_proto::timer;
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, Instant, println, time::deadline_in};

const VICTIM: &str = "timed";
/// Its place in the listing of init, in start order.
const PLACE: u32 = 4;
/// Ends within the window after which it is given up.
const LIMIT: u64 = 5;
/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(20);
/// What a start may take beside the pause.
const START: Duration = Duration::from_millis(30);
const LOOK: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(1);

/// Kills it that often; answers how much was wrong. Nobody signals `silent` meanwhile.
pub(crate) fn reached(silent: Handle) -> Result<u64, Error> {
    let mut supervisor = supervisor::Client::new(Channel::to(supervisor::NAME)?);
    let mut client = timer::Client::new(Channel::to(timer::NAME)?);
    let mut wrong = 0;
    // The ends before these are forgotten by then.
    pause(silent, Duration::from_secs(11))?;
    for end in 0..LIMIT - 1 {
        let begin = Instant::now();
        supervisor.kill(VICTIM)?;
        let back = client.until(deadline_in(PATIENCE)).clock().is_ok();
        let took = Instant::now().since(begin);
        let least = FIRST * (1 << end);
        println!("chaos: end {} of {VICTIM}, back after {} us", end + 1, took.as_micros());
        wrong += u64::from(!back || took < least || took > least + START);
        wait_for(&mut supervisor, State::Up, silent)?;
    }
    supervisor.kill(VICTIM)?;
    let refused = client.until(deadline_in(PATIENCE)).clock().map(drop);
    wait_for(&mut supervisor, State::GivenUp, silent)?;
    println!("chaos: end {LIMIT} of {VICTIM}, calls are {}", refused.err().map_or("answered", Error::name));
    wrong += u64::from(refused != Err(Error::Unavailable));
    supervisor.restart(VICTIM)?;
    let back = client.until(deadline_in(PATIENCE)).clock().is_ok();
    Ok(wrong + u64::from(!back))
}

fn pause(silent: Handle, span: Duration) -> Result<(), Error> {
    match invoke(Wait { notification: silent, deadline: deadline_in(span) }) {
        Err(Error::TimedOut) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::Protocol),
    }
}

fn wait_for(supervisor: &mut supervisor::Client<Channel>, state: State, silent: Handle) -> Result<(), Error> {
    for _ in 0..1_000 {
        let listed = supervisor.list(PLACE)?;
        if listed.name.as_str() == VICTIM && State::from_wire(listed.state) == Some(state) {
            return Ok(());
        }
        pause(silent, LOOK)?;
    }
    Err(Error::TimedOut)
}
