//! Which function of the kernel's source an instruction came from: a step on the way of a visit.

use super::code::Code;
use crate::debug_info::places;
use std::ops::Range;

/// Modules whose functions only reach a field, an element, a neighbour: that is a part of the step that reaches for it.
const REACH: [&str; 3] = ["word", "arena", "list"];

/// The steps of a kernel.
pub(in crate::bench) struct Steps {
    code: Code,
    /// By function as compiled, the outermost first: what it is called, and the addresses of its instructions.
    places: Vec<(String, Vec<Range<u64>>)>,
}

impl Steps {
    /// Out of the kernel's file.
    pub(super) fn read(file: &[u8]) -> Result<Steps, String> {
        let code = Code::read(file).ok_or("the kernel is no executable with symbols")?;
        let mut all = places(file).map_err(|error| format!("the kernel's debug information: {error}"))?;
        all.sort_by_key(|place| place.depth);
        let places = all.into_iter().filter_map(|place| Some((step(place.linked())?, place.ranges))).collect();
        Ok(Steps { code, places })
    }

    /// The innermost function of an address that does more than to reach something; in assembly the label before it.
    pub(in crate::bench) fn of(&self, address: u64) -> String {
        let holds = |ranges: &[Range<u64>]| ranges.iter().any(|range| range.contains(&address));
        let place = self.places.iter().rfind(|(_, ranges)| holds(ranges));
        place.map_or_else(|| plain(self.code.around(address)), |(name, _)| name.clone())
    }
}

/// A function's name without its crate, `arch::` before those of the machine; `None`: no function of the kernel, or one that
/// only reaches something.
fn step(linked: &str) -> Option<String> {
    let name = plain(linked);
    let (home, rest) = name.split_once("::")?;
    match home {
        "nexus_core" if !REACH.contains(&rest.split("::").next()?) => Some(rest.to_owned()),
        "nexus_arch" => Some(rest.replacen("machine_only", "arch", 1)),
        _ => None,
    }
}

/// A name of the linker's as a path, without what it was made for.
fn plain(linked: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(linked));
    // `<nexus_core::lock::Held as core::ops::drop::Drop>::drop`
    let part = name.strip_prefix('<').and_then(|rest| Some((rest.split_once(" as ")?.0, rest.rsplit_once("::")?.1)));
    let name = part.map_or_else(|| name.clone(), |(of, function)| format!("{of}::{function}"));
    let bare = bare(&name);
    let parts: Vec<&str> = bare.split("::").filter(|part| !part.is_empty() && *part != "{{closure}}").collect();
    parts.join("::")
}

/// Without everything in angle brackets.
fn bare(name: &str) -> String {
    let mut depth = 0;
    let outside = name.chars().filter(|letter| {
        let before = depth;
        depth += i32::from(*letter == '<') - i32::from(*letter == '>');
        before == 0 && depth == 0
    });
    outside.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_named_by_module_and_function() {
        for (linked, name) in [
            (
                "_ZN10nexus_core3ipc6detour44_$LT$impl$u20$nexus_core..kernel..Kernel$GT$10take_along17h0123456789abcdefE",
                Some("ipc::detour::take_along"),
            ),
            (
                "_ZN64_$LT$nexus_core..lock..Held$u20$as$u20$core..ops..drop..Drop$GT$4drop17h0123456789abcdefE",
                Some("lock::Held::drop"),
            ),
            (
                "_ZN10nexus_core6memory3map3map28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE",
                Some("memory::map::map"),
            ),
            ("_ZN10nexus_arch12machine_only3run9switch_to17h0123456789abcdefE", Some("arch::run::switch_to")),
            ("_ZN10nexus_core5arena14Arena$LT$T$GT$2at17h0123456789abcdefE", None),
            ("_ZN4core3num21_$LT$impl$u20$u64$GT$12wrapping_add17h0123456789abcdefE", None),
            ("trap_entry", None),
        ] {
            assert_eq!(step(linked).as_deref(), name, "{linked}");
        }
    }
}
