//! Starting the stages of a command: one program, or several joined by pipes.

use alloc::{string::String, vec::Vec};

use crate::system::NotStarted;
use nexus_abi::{Error, Handle, ProcessId, syscall::Notify};
use nexus_proto::{exec, pipe::End};
use nexus_rt::pipe::{Joint, Plumber};
use nexus_rt::{Channel, kernel::invoke};

/// Starts every stage; the first reads from `terminal` and the last writes to it. Fails with none of them running.
pub(super) fn start(
    plumber: &Plumber,
    exec: &mut exec::Client<Channel>,
    stages: &[Vec<String>],
    terminal: Option<Handle>,
) -> Result<Vec<ProcessId>, NotStarted> {
    let mut line = Line { joints: Vec::new(), started: Vec::new() };
    for stage in 1..stages.len() {
        match plumber.open() {
            Ok(joint) => line.joints.push(joint),
            Err(error) => return Err(line.undo(exec, NotStarted { stage, error })),
        }
    }
    for (stage, words) in stages.iter().enumerate() {
        if let Err(error) = line.add(exec, words, terminal) {
            return Err(line.undo(exec, NotStarted { stage, error }));
        }
    }
    Ok(line.started)
}

/// A pipeline in the making.
struct Line {
    joints: Vec<Joint>,
    started: Vec<ProcessId>,
}

impl Line {
    fn add(
        &mut self,
        exec: &mut exec::Client<Channel>,
        words: &[String],
        terminal: Option<Handle>,
    ) -> Result<(), Error> {
        let (name, arguments) = words.split_first().ok_or(Error::Invalid)?;
        let arguments = exec::pack(arguments.iter().map(String::as_str))?;
        let at = self.started.len();
        let input = at.checked_sub(1).map_or(terminal, |before| self.joints.get(before).map(|joint| joint.reader));
        let output = self.joints.get(at).map_or(terminal, |joint| Some(joint.writer));
        let process = exec.start(name, &arguments, input, output, terminal)?.process;
        self.started.push(process);
        self.ends(at).try_for_each(|(joint, end)| {
            let (notification, bits) = joint.watch(end);
            exec.watch(process, notification, bits).map(drop)
        })
    }

    /// The ends of pipes that a stage holds.
    fn ends(&self, stage: usize) -> impl Iterator<Item = (&Joint, End)> {
        let reader = stage.checked_sub(1).and_then(|before| self.joints.get(before)).map(|joint| (joint, End::Reader));
        let writer = self.joints.get(stage).map(|joint| (joint, End::Writer));
        reader.into_iter().chain(writer)
    }

    /// Ends what was started and gives every pipe back.
    fn undo(self, exec: &mut exec::Client<Channel>, reason: NotStarted) -> NotStarted {
        for &process in &self.started {
            // A program that is gone already needs no end, and nobody waits for its record.
            let _ = exec.kill(process, super::services::KILLED).and_then(|_| exec.wait(process));
        }
        for stage in 0..=self.joints.len() {
            for (joint, end) in self.ends(stage) {
                let (notification, bits) = joint.watch(end);
                // The notification lives as long as this program.
                let _ = invoke(Notify { notification, bits });
            }
        }
        reason
    }
}
