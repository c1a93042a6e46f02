//! Pipes between programs, served by whoever starts them.

use alloc::boxed::Box;

use nexus_abi::syscall::{Close, Derive, EndpointCreate, NotificationCreate};
use nexus_abi::{Error, Handle, Rights};
use nexus_ipc::{Answered, Call, Message, Outcome, Port, Serve, Signal};
use nexus_proto::pipe::{End, Opened, Pipes};

use crate::sys::Mutex;
use crate::{Server, kernel::invoke, thread};

/// Pages of the serving thread's stack.
const STACK_PAGES: u64 = 4;

/// Makes pipes.
#[derive(Debug)]
pub struct Plumber {
    pipes: &'static Mutex<Pipes>,
    endpoint: Handle,
    ends: Handle,
}

/// The ends of a pipe. Closing the handles does not close the pipe: that takes the end of both programs.
#[derive(Debug)]
pub struct Joint {
    opened: Opened,
    ends: Handle,
    /// Where bytes go in.
    pub writer: Handle,
    /// Where they come out.
    pub reader: Handle,
}

impl Plumber {
    /// Over an endpoint of this program that carries no badge. Somebody has to run its [`Plumber::service`].
    pub fn over(endpoint: Handle) -> Result<Plumber, Error> {
        let ends = invoke(NotificationCreate { process: None })?.notification;
        Ok(Plumber { pipes: Box::leak(Box::default()), endpoint, ends })
    }

    /// Over an endpoint and a thread of its own, for the rest of the program's life.
    pub fn start() -> Result<Plumber, Error> {
        let endpoint = invoke(EndpointCreate { process: None, queue: 0 })?.endpoint;
        let plumber = Plumber::over(endpoint)?;
        let (mut service, ends) = (plumber.service(), plumber.ends);
        let body = move || {
            // It serves until the program ends; an error would mean that its endpoint is gone already.
            let _ = Server::over(endpoint).bound_to(ends).and_then(|server| server.serve(&mut service));
        };
        thread::spawn(STACK_PAGES, Box::new(body))?;
        Ok(plumber)
    }

    /// What serves the pipes, in a loop that is bound to [`Plumber::ends`].
    pub fn service(&self) -> Plumbing {
        Plumbing(self.pipes)
    }

    /// Where the ends of programs are signalled.
    pub fn ends(&self) -> Handle {
        self.ends
    }

    /// Opens a pipe. `EOVERLIMIT`: too many are.
    pub fn open(&self) -> Result<Joint, Error> {
        let opened = self.pipes.lock().open()?;
        let rights = Rights::USE.union(Rights::TRANSFER);
        let derive = |badge| invoke(Derive { source: self.endpoint, rights, badge }).map(|derived| derived.handle);
        let writer = derive(opened.badge(End::Writer))?;
        let reader = derive(opened.badge(End::Reader))?;
        Ok(Joint { opened, ends: self.ends, writer, reader })
    }
}

impl Joint {
    /// What to watch the program at this end with: a notification, and the bits that say it has ended.
    pub fn watch(&self, end: End) -> (Handle, u64) {
        (self.ends, self.opened.ended(end))
    }
}

impl Drop for Joint {
    fn drop(&mut self) {
        for handle in [self.writer, self.reader] {
            let _ = invoke(Close { handle });
        }
    }
}

/// The serving side of a [`Plumber`].
#[derive(Debug)]
pub struct Plumbing(&'static Mutex<Pipes>);

impl Serve for Plumbing {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        self.0.lock().call(call, request)
    }

    fn signal(&mut self, port: &mut dyn Port, signal: Signal) {
        self.0.lock().signal(port, signal);
    }
}
