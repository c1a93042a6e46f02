//! The trace event format that Perfetto and `chrome://tracing` read: a track a CPU, and a track a thread.

use super::timeline::{Mark, Span, Timeline};
use serde_json::{Value, json};

/// The tracks of the CPUs, and of the threads.
const CPUS: u64 = 1;
const THREADS: u64 = 2;

/// The whole file.
pub(super) fn text(timeline: &Timeline) -> String {
    let mut events = vec![named(CPUS, None, "CPUs"), named(THREADS, None, "threads")];
    events.extend((0..timeline.lanes.len()).map(|cpu| named(CPUS, Some(cpu), &format!("CPU {cpu}"))));
    events.extend(timeline.rows.iter().enumerate().map(|(row, name)| named(THREADS, Some(row), name)));
    for (cpu, lane) in timeline.lanes.iter().enumerate() {
        for span in &lane.spans {
            events.push(ran(span, &timeline.rows[span.row], (CPUS, cpu)));
            events.push(ran(span, span.class.name(), (THREADS, span.row)));
        }
        events.extend(lane.marks.iter().map(|(at, mark)| happened(timeline, *at, *mark, cpu)));
    }
    let document = json!({ "displayTimeUnit": "ns", "traceEvents": events });
    document.to_string() + "\n"
}

fn microseconds(ns: u64) -> f64 {
    ns as f64 / 1000.0
}

fn named(process: u64, thread: Option<usize>, name: &str) -> Value {
    match thread {
        None => json!({ "ph": "M", "pid": process, "name": "process_name", "args": { "name": name } }),
        Some(thread) => {
            json!({ "ph": "M", "pid": process, "tid": thread, "name": "thread_name", "args": { "name": name } })
        }
    }
}

fn ran(span: &Span, name: &str, (process, thread): (u64, usize)) -> Value {
    let (from, length) = (microseconds(span.from), microseconds(span.to - span.from));
    let class = span.class.name();
    json!({ "ph": "X", "pid": process, "tid": thread, "name": name, "cat": class, "ts": from, "dur": length })
}

fn happened(timeline: &Timeline, at: u64, mark: Mark, cpu: usize) -> Value {
    let row = |row: usize| timeline.rows[row].as_str();
    let (name, track) = match mark {
        Mark::Wake(of) => (format!("wake {}", row(of)), (THREADS, of)),
        Mark::Message(from, to) => (format!("message of {}", row(from)), (THREADS, to)),
        Mark::Timer => ("timer".to_string(), (CPUS, cpu)),
    };
    json!({ "ph": "i", "s": "t", "pid": track.0, "tid": track.1, "name": name, "ts": microseconds(at) })
}
