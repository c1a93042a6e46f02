//! Why a line is not run: by file and function, in `tests/coverage.toml`.

use super::lines::Gap;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Bytes below which a text gives no reason.
const SHORTEST: usize = 10;

/// File, function, reason.
pub(super) type Reasons = BTreeMap<String, BTreeMap<String, String>>;

/// Reads the list.
pub(super) fn read(path: &Path) -> Result<Reasons, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text)
}

/// The list in this text.
pub(super) fn parse(text: &str) -> Result<Reasons, String> {
    let document = DeTable::parse(text).map_err(|error| error.to_string())?;
    let mut reasons = Reasons::new();
    for (file, functions) in document.get_ref() {
        let file = file.get_ref().to_string();
        let DeValue::Table(functions) = functions.get_ref() else { return Err(format!("`{file}` is no table")) };
        let said = reasons.entry(file.clone()).or_default();
        for (function, reason) in functions {
            let reason = reason.get_ref().as_str().filter(|text| text.len() >= SHORTEST);
            let reason = reason.ok_or_else(|| format!("`{file}`: `{}` has no reason", function.get_ref()))?;
            said.insert(function.get_ref().to_string(), reason.to_string());
        }
    }
    Ok(reasons)
}

/// Gaps without a reason, and reasons without a gap.
pub(super) fn compare(reasons: &Reasons, gaps: &[Gap]) -> Vec<String> {
    let has_reason = |gap: &&Gap| reasons.get(&gap.file).is_some_and(|functions| functions.contains_key(&gap.function));
    let is_gap = |file: &str, function: &str| gaps.iter().any(|gap| gap.file == file && gap.function == function);
    let unexplained = gaps.iter().filter(|gap| !has_reason(gap)).map(|gap| {
        let lines: Vec<String> = gap.lines.iter().map(usize::to_string).collect();
        format!("{}: `{}` is not run in lines {}, and nobody says why", gap.file, gap.function, lines.join(" "))
    });
    let named = reasons.iter().flat_map(|(file, functions)| functions.keys().map(move |function| (file, function)));
    let idle = named.filter(|(file, function)| !is_gap(file, function));
    let idle = idle.map(|(file, function)| format!("{file}: `{function}` has a reason and is run"));
    unexplained.chain(idle).collect()
}
