//! Budgets: how many seconds each suite may take, read from `tests/budget.toml`.

use super::row::Suite;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// A budget for every suite.
#[derive(Debug)]
pub(super) struct Budgets {
    seconds: BTreeMap<String, Duration>,
}

impl Budgets {
    /// Reads the budgets; one without a suite and a suite without one are errors.
    pub(super) fn load(path: &Path, suites: &[Suite]) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text, suites).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(super) fn parse(text: &str, suites: &[Suite]) -> Result<Self, String> {
        let document = DeTable::parse(text).map_err(|error| error.to_string())?;
        let Some(DeValue::Table(table)) = document.get_ref().get("seconds").map(|value| value.get_ref()) else {
            return Err("no table `seconds`".to_string());
        };
        let mut seconds = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().to_string();
            let number = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
            let number = number.ok_or_else(|| format!("`{name}` is no number of seconds"))?;
            if !suites.iter().any(|suite| suite.name == name) {
                return Err(format!("`{name}` is no suite"));
            }
            seconds.insert(name, Duration::from_secs(number));
        }
        match suites.iter().find(|suite| !seconds.contains_key(suite.name)) {
            Some(suite) => Err(format!("the suite `{}` has no budget", suite.name)),
            None => Ok(Self { seconds }),
        }
    }

    /// The budget of a suite of the table.
    pub(super) fn of(&self, suite: &Suite) -> Duration {
        *self.seconds.get(suite.name).expect("a budget for every suite was checked when they were read")
    }
}
