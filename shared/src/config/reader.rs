//! Reading settings one by one, with an error message for each invalid value.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Problems;

/// A test of a text, and a description of the expected value.
pub type Check = (fn(&str) -> bool, &'static str);

/// A name of something in AWS, or a claim's value: up to 255 printable characters without spaces.
pub const IS_NAME: Check =
    (|text| text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic()), "a name without spaces");
/// An ARN.
pub const IS_ARN: Check = (|text| text.starts_with("arn:"), "an ARN");

/// The maximum length of a list in bytes. Lambda allows 4 KB for all variables, and only lists could exceed it.
pub const LONGEST_LIST: usize = 600;

/// Reads settings with `lookup`. This is [`std::env::var`] in a function, and the template's values in `local`.
///
/// # Errors
/// [`Problems`] lists every missing or invalid setting, so that a deployer can fix them all at once.
pub fn read<S>(
    lookup: impl Fn(&str) -> Option<String>,
    settings: impl FnOnce(&mut Reader<'_>) -> S,
) -> Result<S, Problems> {
    let mut reader = Reader { lookup: &lookup, problems: Vec::new() };
    let settings = settings(&mut reader);
    if reader.problems.is_empty() { Ok(settings) } else { Err(Problems(reader.problems)) }
}

/// Reads settings one by one. After a problem it continues with a placeholder value, which is discarded.
pub struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// The text of a setting, trimmed. An empty one counts as missing, because a template cannot omit a variable.
    pub fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Reports a problem. The text starts with the name of the setting.
    pub fn report(&mut self, problem: String) {
        // Two settings may share an alias. Report its problem only once.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Reports a missing or invalid setting.
    pub fn expect(&mut self, name: &str, expected: &str) {
        self.report(match self.get(name) {
            None => format!("{name} is not set: expected {expected}"),
            Some(_) => format!("{name}: expected {expected}"),
        });
    }

    /// Reports a setting that does not exist any more, with what replaces it.
    pub fn gone(&mut self, name: &str, instead: &str) {
        if self.get(name).is_some() {
            self.report(format!("{name} does not exist any more: {instead}. Remove it"));
        }
    }

    /// A required text, or one with a default.
    pub fn text(&mut self, name: &str, default: Option<&str>, check: Check) -> String {
        let text = self.get(name).or(default.map(str::to_owned));
        if !text.as_deref().is_some_and(check.0) {
            self.expect(name, check.1);
        }
        text.unwrap_or_default()
    }

    /// An optional text.
    pub fn optional(&mut self, name: &str, check: Check) -> Option<String> {
        let text = self.get(name);
        if text.as_deref().is_some_and(|text| !check.0(text)) {
            self.expect(name, check.1);
        }
        text
    }

    /// A whole number within a range.
    pub fn number(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let number = self.get(name).map_or(Some(default), |text| text.parse().ok());
        number.filter(|number| range.contains(number)).unwrap_or_else(|| {
            self.expect(name, &format!("a whole number from {} to {}", range.start(), range.end()));
            default
        })
    }

    /// A whole number with an alias. The alias counts in units of `unit`.
    pub fn number_or_alias(
        &mut self,
        name: &str,
        (alias, unit): (&str, u64),
        default: u64,
        range: RangeInclusive<u64>,
    ) -> u64 {
        if self.get(alias).is_none() {
            return self.number(name, default, range);
        }
        let (least, most) = (range.start().div_ceil(unit), range.end() / unit);
        let number = self.number(alias, least, least..=most) * unit;
        if self.number(name, number, range) != number {
            self.report(format!("{alias}: {name} is the same setting with another value. Remove one of them"));
        }
        number
    }

    /// A count within a range.
    pub fn count(&mut self, name: &str, default: u32, range: RangeInclusive<u32>) -> u32 {
        let number = self.number(name, u64::from(default), u64::from(*range.start())..=u64::from(*range.end()));
        u32::try_from(number).unwrap_or(default)
    }

    /// A duration in seconds.
    pub fn seconds(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.number(name, default, range))
    }

    /// A duration in days.
    pub fn days(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.number(name, default, range) * 86_400)
    }

    /// One of a few words.
    pub fn choice(&mut self, name: &str, default: &str, choices: &[&str]) -> String {
        let choice = self.get(name).unwrap_or(default.to_owned());
        if !choices.contains(&choice.as_str()) {
            self.expect(name, &format!("one of {}", choices.join(", ")));
        }
        choice
    }

    /// A switch, `on` by default.
    pub fn is_on(&mut self, name: &str) -> bool {
        self.choice(name, "on", &["on", "off"]) == "on"
    }

    /// A list of items, separated by commas.
    pub fn list<T, L>(&mut self, name: &str, expected: &str, item: impl Fn(&str) -> Option<T>) -> L
    where
        L: FromIterator<T> + Default,
    {
        let Some(text) = self.get(name) else { return L::default() };
        if text.len() > LONGEST_LIST {
            self.expect(name, &format!("at most {LONGEST_LIST} bytes"));
            return L::default();
        }
        text.split(',').map(str::trim).map(item).collect::<Option<L>>().unwrap_or_else(|| {
            self.expect(name, expected);
            L::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALIAS: (&str, u64) = ("MINUTES", 60);

    fn seconds(variables: &[(&str, &str)]) -> Result<u64, String> {
        let lookup =
            |name: &str| variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned());
        read(lookup, |read| read.number_or_alias("SECONDS", ALIAS, 300, 30..=630))
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn an_alias_counts_in_units_of_its_own() {
        for (variables, number) in [
            (vec![], 300),
            (vec![("SECONDS", "45")], 45),
            (vec![("MINUTES", "2")], 120),
            (vec![("MINUTES", "2"), ("SECONDS", "")], 120),
            (vec![("MINUTES", "2"), ("SECONDS", "120")], 120),
        ] {
            assert_eq!(seconds(&variables), Ok(number), "{variables:?}");
        }
    }

    #[test]
    fn an_alias_has_the_range_of_its_setting() {
        for minutes in ["0", "11", "two", "1.5"] {
            let problem = seconds(&[("MINUTES", minutes)]).unwrap_err();
            assert!(problem.ends_with(": MINUTES: expected a whole number from 1 to 10"), "{problem}");
        }
    }

    #[test]
    fn an_alias_with_another_value_is_a_problem() {
        let problem = seconds(&[("MINUTES", "2"), ("SECONDS", "300")]).unwrap_err();
        assert!(problem.contains("MINUTES: SECONDS is the same setting with another value"), "{problem}");
    }

    #[test]
    fn a_list_has_a_maximum_length() {
        let numbers = |text: String| {
            let lookup = move |_: &str| Some(text.clone());
            read(lookup, |read| read.list::<u8, Vec<_>>("LIST", "numbers", |item| item.parse().ok()))
                .map_err(|problems| problems.to_string())
        };
        assert_eq!(numbers("1, 2,3".to_owned()), Ok(vec![1, 2, 3]));
        assert_eq!(numbers(" ".to_owned()), Ok(vec![]));
        assert!(numbers("1,,2".to_owned()).unwrap_err().ends_with("LIST: expected numbers"));
        assert_eq!(numbers(format!("{}1", "1,".repeat(299))).unwrap().len(), 300);
        let problem = numbers("1,".repeat(300) + "1").unwrap_err();
        assert!(problem.ends_with("LIST: expected at most 600 bytes"), "{problem}");
    }
}
