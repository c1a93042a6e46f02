//! A timeline as a picture: a block a CPU, a row a thread, coloured by class; wake-ups, messages and timer interrupts.

use super::timeline::{Lane, Mark, Span, Timeline};
use nexus_abi::QosClass;
use std::fmt::Write;

const WIDTH: f64 = 1000.0;
/// Where time begins: left of it stand the names.
const LEFT: f64 = 120.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 70.0;
const ROW: f64 = 22.0;
const BAR: f64 = 14.0;
/// Between the blocks of two CPUs.
const GAP: f64 = 14.0;
/// Marks closer to each other than this are one.
const APART: f64 = 0.5;

const STYLE: &str = "
    .idle { fill: #8f8a80; } .normal { fill: #4f86c6; } .interactive { fill: #3c9a5f; } .perfburst { fill: #cf6a4b; }
    .line { stroke: #d8d4ca; stroke-width: 1; } .message { stroke: #8a79b8; stroke-width: 0.7; }
    .wake { stroke: #b5351f; stroke-width: 1.2; } .timer { fill: #b5351f; }
    .title { fill: #23211d; font-size: 15px; font-weight: 600; } .text { fill: #4b473f; font-size: 12px; }
    .card { fill: #fcfbf8; }
    @media (prefers-color-scheme: dark) {
      .card { fill: #1c1d21; } .title { fill: #ececea; } .text { fill: #c6c6c2; } .line { stroke: #3b3d44; }
      .wake { stroke: #ff8a70; } .timer { fill: #ff8a70; }
    }
";

/// The picture.
pub(super) fn text(timeline: &Timeline, about: &str) -> String {
    let used: Vec<Vec<usize>> = timeline.lanes.iter().map(|lane| rows_of(timeline, lane)).collect();
    let rows: usize = used.iter().map(|rows| 1 + rows.len()).sum();
    let bottom = TOP + rows as f64 * ROW + used.len() as f64 * GAP;
    let height = bottom + 30.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"title desc\" \
         font-family=\"system-ui, 'DejaVu Sans', sans-serif\">\n  <title id=\"title\">{about}</title>\n  \
         <desc id=\"desc\">{}</desc>\n  <style>{STYLE}  </style>\n  <rect class=\"card\" width=\"{WIDTH}\" height=\"{height}\"/>\n",
        timeline.summary(),
        about = escaped(about),
    );
    let _ = writeln!(out, "  <text class=\"title\" x=\"16\" y=\"24\">{}</text>", escaped(about));
    legend(&mut out);
    axis(&mut out, timeline.length, bottom);
    let mut y = TOP;
    for (cpu, (lane, rows)) in timeline.lanes.iter().zip(&used).enumerate() {
        block(&mut out, (timeline, lane), (cpu, rows), y);
        y += (1 + rows.len()) as f64 * ROW + GAP;
    }
    out + "</svg>\n"
}

/// The rows that have something on this CPU.
fn rows_of(timeline: &Timeline, lane: &Lane) -> Vec<usize> {
    (0..timeline.rows.len()).filter(|row| lane.spans.iter().any(|span| span.row == *row)).collect()
}

fn legend(out: &mut String) {
    let mut x = 16.0;
    for class in QosClass::ALL {
        let name = class.name();
        let _ = writeln!(out, "  <rect class=\"{name}\" x=\"{x}\" y=\"36\" width=\"12\" height=\"12\"/>");
        let _ = writeln!(out, "  <text class=\"text\" x=\"{}\" y=\"46\">{name}</text>", x + 16.0);
        x += 40.0 + 7.0 * name.len() as f64;
    }
    let marks = [
        (format!("<path class=\"wake\" d=\"M{} 36v12\"/>", x + 4.0), "made ready"),
        (format!("<path class=\"message\" d=\"M{} 36v12\"/>", x + 104.0), "message"),
        (format!("<path class=\"timer\" d=\"M{} 38h8l-4 8z\"/>", x + 184.0), "timer interrupt"),
    ];
    for ((mark, name), place) in marks.into_iter().zip([10.0, 110.0, 196.0]) {
        let _ = writeln!(out, "  {mark}\n  <text class=\"text\" x=\"{}\" y=\"46\">{name}</text>", x + place);
    }
}

fn x_of(at: u64, length: u64) -> f64 {
    let share = at as f64 / length.max(1) as f64;
    ((LEFT + share * (WIDTH - LEFT - RIGHT)) * 10.0).round() / 10.0
}

fn axis(out: &mut String, length: u64, bottom: f64) {
    let steps = (0..10).flat_map(|power| [1, 2, 5].map(|factor: u64| factor * 10u64.pow(power)));
    let step = steps.into_iter().find(|step| length / step <= 10).unwrap_or(length.max(1));
    for at in (0..=length).step_by(step as usize) {
        let x = x_of(at, length);
        let _ = writeln!(out, "  <path class=\"line\" d=\"M{x} {}V{bottom}\"/>", TOP - 8.0);
        let text = if step >= 1_000_000 { format!("{} ms", at / 1_000_000) } else { format!("{} µs", at / 1000) };
        let _ = writeln!(
            out,
            "  <text class=\"text\" text-anchor=\"middle\" x=\"{x}\" y=\"{}\">{text}</text>",
            bottom + 16.0
        );
    }
}

fn block(out: &mut String, (timeline, lane): (&Timeline, &Lane), (cpu, rows): (usize, &[usize]), top: f64) {
    let y_of = |row: usize| rows.iter().position(|known| *known == row).map(|place| top + (1 + place) as f64 * ROW);
    let _ = writeln!(out, "  <text class=\"title\" x=\"16\" y=\"{}\">CPU {cpu}</text>", top + BAR);
    let mut drawn = Drawn::default();
    for (at, mark) in &lane.marks {
        let x = x_of(*at, timeline.length);
        let path = match *mark {
            Mark::Timer => Some(("timer", format!("M{} {}h8l-4 8z", x - 4.0, top + 2.0))),
            Mark::Wake(row) => y_of(row).map(|y| ("wake", format!("M{x} {}v{}", y - 3.0, BAR + 6.0))),
            Mark::Message(from, to) => y_of(from)
                .zip(y_of(to))
                .map(|(from, to)| ("message", format!("M{x} {}V{}", from + BAR / 2.0, to + BAR / 2.0))),
        };
        drawn.add(out, x, *mark, path);
    }
    for &row in rows {
        let y = top + rows.iter().take_while(|known| **known != row).count() as f64 * ROW + ROW;
        let name = escaped(timeline.rows[row].trim_start_matches("app/boot/"));
        let _ = writeln!(out, "  <text class=\"text\" x=\"24\" y=\"{}\">{name}</text>", y + BAR - 3.0);
        for (class, from, to) in bars(lane.spans.iter().filter(|span| span.row == row), timeline.length) {
            let (name, width) = (class.name(), to - from);
            let _ = writeln!(
                out,
                "  <rect class=\"{name}\" x=\"{from}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\"/>"
            );
        }
    }
}

/// Where the last mark of each kind and place stands, so that none is drawn on another.
#[derive(Default)]
struct Drawn {
    last: Vec<(Mark, f64)>,
}

impl Drawn {
    fn add(&mut self, out: &mut String, x: f64, mark: Mark, path: Option<(&str, String)>) {
        let Some((class, path)) = path else { return };
        match self.last.iter_mut().find(|(known, _)| *known == mark) {
            Some((_, last)) if x - *last < APART => return,
            Some((_, last)) => *last = x,
            None => self.last.push((mark, x)),
        }
        let _ = writeln!(out, "  <path class=\"{class}\" d=\"{path}\"/>");
    }
}

/// Spans as bars; those that touch on the paper are one.
fn bars<'a>(spans: impl Iterator<Item = &'a Span>, length: u64) -> Vec<(QosClass, f64, f64)> {
    let mut bars: Vec<(QosClass, f64, f64)> = Vec::new();
    for span in spans {
        let (from, to) = (x_of(span.from, length), x_of(span.to, length));
        let to = to.max(from + APART);
        match bars.last_mut() {
            Some(last) if last.0 == span.class && from - last.2 < APART => last.2 = to,
            _ => bars.push((span.class, from, to)),
        }
    }
    bars
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
