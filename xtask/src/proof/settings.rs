//! What the environment asks of one proof: harts, phase, stop rule, time.
//!
//! Parsed once and completely before anything starts, so that a wrong word is exit 2 and never half a run.

use std::time::Duration;

/// When a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// As soon as the expected set is complete.
    Complete,
    /// When the machine ends by itself.
    Shutdown,
    /// At this line.
    Line(String),
}

/// Whether the lines that prove several harts are part of the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harts {
    /// They are not asked for.
    Any,
    /// They must come.
    Required,
}

/// The settings of one proof.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The number of harts.
    pub smp: u32,
    /// Whether the kernel row counts.
    pub harts: Harts,
    /// When the run ends.
    pub until: Until,
    /// The last phase to judge.
    pub phase: Option<String>,
    /// The bound on the whole run.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let timeout = Duration::from_secs(90);
        Settings { smp: 1, harts: Harts::Any, until: Until::Complete, phase: None, timeout }
    }
}

impl Settings {
    /// Reads the settings from the environment that `lookup` stands for. The error is the usage text for exit 2.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let value = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let mut settings = Settings::default();
        if let Some(smp) = value("SMP") {
            settings.smp = match smp.parse() {
                Ok(smp @ 1..=8) => smp,
                _ => return Err(format!("SMP={smp}: 1 to 8 harts")),
            };
        }
        settings.harts = match value("REQUIRE_SMP").as_deref() {
            None | Some("0") => Harts::Any,
            Some("1") => Harts::Required,
            Some(other) => return Err(format!("REQUIRE_SMP={other}: 0 or 1")),
        };
        if settings.harts == Harts::Required && settings.smp < 2 {
            return Err(format!("REQUIRE_SMP=1 needs SMP of 2 or more, not {}", settings.smp));
        }
        settings.until = match value("RUN_UNTIL_MARKER").as_deref() {
            None | Some("1") => Until::Complete,
            Some("0") => Until::Shutdown,
            Some(text) => Until::Line(text.to_string()),
        };
        settings.phase = value("RUN_PHASE");
        if settings.phase.is_some() && matches!(settings.until, Until::Line(_)) {
            return Err("RUN_PHASE and a line as RUN_UNTIL_MARKER exclude each other".to_string());
        }
        if let Some(text) = value("RUN_TIMEOUT") {
            settings.timeout = seconds(&text)?;
        }
        Ok(settings)
    }
}

/// `90`, `90s` or `2m`; 1 second to 2 hours.
fn seconds(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1),
        Some(b'm') => (&text[..text.len() - 1], 60),
        _ => (text, 1),
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match number {
        Some(seconds @ 1..=7200) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("RUN_TIMEOUT={text}: seconds as `90`, `90s` or `2m`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(&|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_string()))
    }

    #[test]
    fn an_empty_environment_is_one_hart_until_complete() {
        let settings = read(&[("SMP", "")]).unwrap();
        assert_eq!((settings.smp, settings.harts, settings.until), (1, Harts::Any, Until::Complete));
        assert_eq!((settings.phase, settings.timeout.as_secs()), (None, 90));
    }

    #[test]
    fn required_harts_with_one_hart_are_a_usage_error() {
        assert!(read(&[("REQUIRE_SMP", "1"), ("SMP", "1")]).is_err());
        assert!(read(&[("REQUIRE_SMP", "1")]).is_err());
        assert_eq!(read(&[("REQUIRE_SMP", "1"), ("SMP", "2")]).unwrap().harts, Harts::Required);
    }

    #[test]
    fn the_marker_is_complete_shutdown_or_a_line() {
        assert_eq!(read(&[("RUN_UNTIL_MARKER", "1")]).unwrap().until, Until::Complete);
        assert_eq!(read(&[("RUN_UNTIL_MARKER", "0")]).unwrap().until, Until::Shutdown);
        assert_eq!(read(&[("RUN_UNTIL_MARKER", "init: ready")]).unwrap().until, Until::Line("init: ready".into()));
        assert!(read(&[("RUN_UNTIL_MARKER", "init: ready"), ("RUN_PHASE", "mmio")]).is_err());
    }

    #[test]
    fn the_timeout_takes_seconds_and_minutes() {
        assert_eq!(read(&[("RUN_TIMEOUT", "190s")]).unwrap().timeout.as_secs(), 190);
        assert_eq!(read(&[("RUN_TIMEOUT", "2m")]).unwrap().timeout.as_secs(), 120);
        assert_eq!(read(&[("RUN_TIMEOUT", "7")]).unwrap().timeout.as_secs(), 7);
    }

    #[test]
    fn values_out_of_range_are_usage_errors() {
        for pair in [("SMP", "0"), ("SMP", "9"), ("SMP", "x"), ("REQUIRE_SMP", "yes")] {
            assert!(read(&[pair]).is_err(), "{pair:?}");
        }
        for text in ["0", "x", "s", "-1s", "7201", "1h", "99999999999999999999m"] {
            assert!(read(&[("RUN_TIMEOUT", text)]).is_err(), "{text}");
        }
    }
}
