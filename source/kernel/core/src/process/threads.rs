//! Making, starting and ending threads.

use crate::memory::{
    Stash,
    map::{page_of, user_page},
    tree::leaf,
};
use crate::prelude::*;
use nexus_abi::layout::{USER_END, USER_START};
use nexus_abi::start::ExitKind;

impl Kernel {
    /// The frames that a new thread takes, or why there can be none. Holds all shards.
    pub(crate) fn frames_for_thread(&self, process: &Process, new: &ThreadCreate) -> Result<u32, Error> {
        if !new.entry.is_multiple_of(2) || !new.stack.is_multiple_of(16) {
            return Err(Error::Invalid);
        }
        if !(USER_START..USER_END).contains(&new.entry) || new.stack > USER_END {
            return Err(Error::BadAddress);
        }
        let (_, tables) = self.check_pages(process, user_page(new.ipc_page, 1)?, 1)?;
        process.account.check(Resource::Frames, 1 + tables)?;
        process.account.check_places(&self.threads.pool, Resource::Threads, 1)?;
        Ok(1 + tables)
    }

    /// Brings a thread to life that does not run yet, from a stash with the frames that [`Kernel::frames_for_thread`]
    /// counted. Its IPC page is mapped without a record: no call of a program can unmap it or take its access away.
    /// Holds all shards.
    pub(crate) fn new_thread(
        &self,
        home: &Process,
        cpu: u32,
        new: &ThreadCreate,
        stash: &mut Stash,
    ) -> &'static Thread {
        let thread = self.threads.allocate(home.header.shard());
        let entry = self.reach(home.tree(), page_of(new.ipc_page), &home.account, stash);
        let frame = stash.take().unwrap_or(0);
        entry.into_iter().for_each(|entry| entry.set(leaf(self.frames.address(frame), access::READ | access::WRITE)));
        home.account.charge(Resource::Frames, 1);
        home.account.charge(Resource::Threads, 1);
        thread.begin(new);
        let words = [&thread.trace, &thread.waits_on, &thread.extent, &thread.ends, &thread.cpu_time, &thread.switches];
        words.into_iter().for_each(|word| word.set(0));
        let halves = [&thread.mail, &thread.near_slots, &thread.float, &thread.ran_on, &thread.slice_left];
        halves.into_iter().for_each(|half| half.set(0));
        thread.ipc_frame.set(frame);
        thread.ipc_page.set(new.ipc_page);
        thread.satp.set(home.satp.get());
        thread.service.set(home.service.get());
        thread.process.set(home.header.me());
        thread.affinity.set(home.affinity.get());
        thread.shares.set(home.shares.get());
        thread.gate.start(cpu, thread.header.shard());
        thread.looked_at.set(self.nodes.at(thread.index()).looked_at());
        thread.source_endpoint.set(Thread::NOWHERE);
        thread.start_tokens();
        thread.set_base_class(QosClass::Normal);
        thread.set_timed(home.budget.ticks.get());
        self.join(home, thread);
        thread
    }

    /// Puts a thread into its process's list. Holds all shards.
    pub(crate) fn join(&self, process: &Process, thread: &Thread) {
        thread.header.owner.set(process.index());
        thread.header.links.join(&process.threads, thread.index(), |index| &self.threads.at(index).header.links);
    }
}

impl Thread {
    /// Says where it begins, and with what.
    pub(crate) fn begin(&self, new: &ThreadCreate) {
        self.frame.clear();
        self.frame.set(0, new.entry);
        self.frame.set(reg::SP, new.stack);
        self.frame.set(reg::A0, new.a0);
        self.frame.set(reg::A0 + 1, new.a1);
    }
}

pub(crate) fn thread_create(context: &Context, call: ThreadCreate) -> Verdict<ThreadCreated> {
    let kernel = context.kernel;
    let (mut stash, _held, process) = kernel.with_frames(|| {
        let process = context.subject(call.process, Rights::USE)?;
        kernel.check_slots(context.process(), 1, 0)?;
        Ok((kernel.frames_for_thread(process, &call)?, process))
    })?;
    let thread = kernel.new_thread(process, context.cpu.id.get(), &call, &mut stash);
    if core::ptr::eq(process, context.process()) {
        thread.affinity.set(context.thread.affinity.get());
    }
    let handle = kernel.insert(context.process(), &Capability::full(Kind::Thread, thread), 0)?;
    Ok(ThreadCreated { thread: handle })
}

pub(crate) fn thread_start(context: &Context, call: ThreadStart) -> Verdict<ThreadStarted> {
    let (kernel, _held) = context.hold_all();
    let thread = context.object(&kernel.threads, call.thread, Kind::Thread, Rights::USE)?;
    if thread.state() != State::New || !kernel.processes.at(thread.process.get() as u32).running() {
        return Err(Error::State.into());
    }
    let cpu = kernel.place(thread).ok_or(Error::Again)?;
    thread.set_cpu(cpu.id.get());
    kernel.make_ready(context.cpu, thread);
    Ok(ThreadStarted {})
}

pub(crate) fn thread_exit(context: &Context, _: ThreadExit) -> Verdict<NeverThread> {
    let (kernel, _held) = context.hold_all();
    let (thread, process) = (context.thread, context.process());
    let only = kernel.threads.at(process.threads.get()).header.links.next.get() == 0;
    // A dying process keeps its threads in its list: it is being walked.
    if only || !process.running() {
        kernel.begin_exit(context.cpu, process, [ExitKind::Exited as u64, 0, 0, 0], thread.class());
        kernel.set_aside(context.cpu, thread);
        return Err(Stop::Blocked);
    }
    if thread.ipc_page.get() != 0 {
        // After the fence its frame may be released.
        kernel.clear_pages(context.cpu, process, page_of(thread.ipc_page.take()), 1);
        return Err(Stop::Restart);
    }
    kernel.stop_thread(context.cpu, thread);
    let endpoint = kernel.endpoints.at(thread.serves());
    kernel.release_thread(process, thread);
    kernel.reclass(context.cpu, kernel.heir(endpoint));
    Err(Stop::Blocked)
}
