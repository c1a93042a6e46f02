//! Figures: what the program printed in each boot, and what needs no boot.

use std::path::Path;

use crate::check::{Tree, kernel};
use crate::image::loaded;

/// Where a row's figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boot {
    /// The system as it ships.
    Normal,
    /// With the boot argument that leaves every message to the general path.
    Undirected,
    /// With the bench in a service's place.
    Held,
    /// No boot of the program: the figure is the source's, the kernel file's, or that of a boot to the prompt.
    None,
}

/// Everything that the table is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Readings {
    /// Lines of the boot as it ships.
    pub(super) normal: Vec<String>,
    /// Lines of the boot without the direct path.
    pub(super) undirected: Vec<String>,
    /// Lines of the boot in a service's place.
    pub(super) held: Vec<String>,
    /// Lines of the form of the program's, of what it does not print.
    pub(super) still: Vec<String>,
}

impl Readings {
    fn lines(&self, boot: Boot) -> &[String] {
        match boot {
            Boot::Normal => &self.normal,
            Boot::Undirected => &self.undirected,
            Boot::Held => &self.held,
            Boot::None => &self.still,
        }
    }

    /// The numbers of a row.
    pub(super) fn values(&self, boot: Boot, row: &str) -> Result<Vec<u64>, String> {
        let found = self.lines(boot).iter().find_map(|line| {
            let mut parts = line.split_once("bench: ")?.1.split(" | ");
            (parts.next() == Some(row)).then(|| parts.map(str::trim).map(str::parse).collect::<Result<_, _>>())
        });
        let numbers = found.ok_or_else(|| format!("row `{row}` is missing"))?;
        numbers.map_err(|_| format!("row `{row}` is malformed"))
    }
}

/// The line in which the kernel tells what its boot cost, as a row.
pub(super) fn boot_cost(lines: &[String]) -> Option<String> {
    let text = "instructions from kernel entry to the first user instruction";
    let line = lines.iter().find(|line| line.contains("bootstat: ") && line.contains(text))?;
    let count = line.split_once("bootstat: ")?.1.split(' ').next()?;
    Some(format!("bench: kernel entry to first user instruction | {count} | {count}"))
}

/// Rows of what lies still: the kernel file's size and the lines of its source.
pub(super) fn still(root: &Path) -> Result<Vec<String>, String> {
    let kernel = root.join("build/kernel");
    let file = std::fs::read(&kernel).map_err(|error| format!("{}: {error}", kernel.display()))?;
    let bytes = loaded(&file).ok_or("the kernel is no executable")?;
    let tree = Tree::load(root).map_err(|error| format!("the source tree cannot be read: {error}"))?;
    let lines: usize = kernel::sizes(&tree).iter().map(|(lines, _)| lines).sum();
    Ok(vec![
        format!("bench: kernel text and data, bytes | {bytes} | {bytes}"),
        format!("bench: kernel source, lines of code | {lines} | {lines}"),
    ])
}
