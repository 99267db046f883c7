//! Reads settings by the table, and collects what is wrong with their values.

use std::cell::RefCell;

use crate::config::{
    quotas::HourlyQuota,
    settings::{SETTINGS, Values},
};

/// Reads settings by the table, and collects what is wrong with their values.
pub struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    /// What is wrong, a sentence each; no secret is quoted.
    pub problems: RefCell<Vec<String>>,
}

impl<'a> Reader<'a> {
    /// A reader of the values that `lookup` returns by name.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, problems: RefCell::default() }
    }

    /// The value without blanks around it; `None` if it is unset or empty.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Adds a problem.
    pub fn problem(&self, problem: impl Into<String>) {
        self.problems.borrow_mut().push(problem.into());
    }

    /// The secret, or what is missing.
    pub fn secret(&self, name: &str) -> Result<String, String> {
        self.text(name).ok_or_else(|| format!("{name} is missing"))
    }

    /// Whether the setting is this one of its two words.
    pub fn is(&self, name: &str, word: &str) -> bool {
        let Some(Values::Choice { default, other, invalid }) = self.values(name) else { return false };
        match self.text(name).as_deref() {
            None => word == default,
            Some(value) if value == default || value == other => word == value,
            Some(_) => {
                self.problem(format!("{name} is neither {other:?} nor {default:?}; it counts as {invalid:?}"));
                word == invalid
            }
        }
    }

    /// The number; the nearest bound if it is beyond one, the default if it is none.
    pub fn number(&self, name: &str) -> i64 {
        let Some(Values::Number { default, min, max }) = self.values(name) else { return 0 };
        let Some(value) = self.text(name) else { return default };
        let number = value.parse::<i64>().map_or(default, |number| number.clamp(min, max));
        self.expect(name, &value, number, &format!("a number from {min} to {max}"))
    }

    /// The number, if it is set.
    pub fn optional_number(&self, name: &str) -> Option<i64> {
        let Some(Values::OptionalNumber { min, max, invalid, .. }) = self.values(name) else { return None };
        let value = self.text(name)?;
        let number = value.parse::<i64>().ok().filter(|number| (min..=max).contains(number)).unwrap_or(invalid);
        Some(self.expect(name, &value, number, &format!("a number from {min} to {max}")))
    }

    /// The number per hour.
    pub fn per_hour(&self, name: &str) -> HourlyQuota {
        let Some(Values::PerHour { default }) = self.values(name) else { return HourlyQuota::default() };
        let Some(value) = self.text(name) else { return HourlyQuota { set: None, default } };
        let number = value.parse::<i64>().ok().map(|number| number.clamp(0, HourlyQuota::UNLIMITED));
        self.expect(name, &value, number.unwrap_or(default), "a number of 0 or more");
        HourlyQuota { set: number, default }
    }

    /// The number that counts; a problem if it is not the one that was set.
    fn expect(&self, name: &str, value: &str, number: i64, what: &str) -> i64 {
        if value.parse() != Ok(number) {
            self.problem(format!("{name} {value:?} is not {what}; it counts as {number}"));
        }
        number
    }

    fn values(&self, name: &str) -> Option<Values> {
        let settings = SETTINGS.iter().flat_map(|(_, settings)| *settings);
        let values = settings.into_iter().find(|setting| setting.name == name).map(|setting| setting.values);
        if values.is_none() {
            self.problem(format!("{name} is not in the table of settings"));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(name: &str, value: Option<&str>, read: impl Fn(&Reader<'_>) -> T) -> (T, Vec<String>) {
        let lookup = |asked: &str| (asked == name).then(|| value.map(str::to_owned)).flatten();
        let reader = Reader::new(&lookup);
        let value = read(&reader);
        (value, reader.problems.into_inner())
    }

    #[test]
    fn bad_choice_is_named_and_safe() {
        let anonymous = |value| read("ANONYMOUS_READ", value, |reader| reader.is("ANONYMOUS_READ", "on"));
        for (value, on) in
            [(None, true), (Some("on"), true), (Some(" on "), true), (Some("off"), false), (Some(""), true)]
        {
            assert_eq!(anonymous(value), (on, vec![]), "{value:?}");
        }
        let problem = "ANONYMOUS_READ is neither \"off\" nor \"on\"; it counts as \"off\"";
        assert_eq!(anonymous(Some("On")), (false, vec![problem.to_owned()]));
    }

    #[test]
    fn bad_number_is_named_and_bounded() {
        let seconds = |value| read("REGISTRY_TOKEN_SECONDS", value, |reader| reader.number("REGISTRY_TOKEN_SECONDS"));
        assert_eq!(seconds(None), (300, vec![]));
        assert_eq!(seconds(Some("60")), (60, vec![]));
        for (value, counts) in [("59", 60), ("3601", 3_600), ("-1", 60), ("five", 300), ("1e3", 300)] {
            let problem =
                format!("REGISTRY_TOKEN_SECONDS {value:?} is not a number from 60 to 3600; it counts as {counts}");
            assert_eq!(seconds(Some(value)), (counts, vec![problem]));
        }
    }

    #[test]
    fn bad_optional_number_is_strict() {
        let length = |value| read("PASSWORD_LENGTH", value, |reader| reader.optional_number("PASSWORD_LENGTH"));
        assert_eq!(length(None), (None, vec![]));
        assert_eq!(length(Some("128")), (Some(128), vec![]));
        for value in ["4", "129", "long"] {
            let problem = format!("PASSWORD_LENGTH {value:?} is not a number from 5 to 128; it counts as 12");
            assert_eq!(length(Some(value)), (Some(12), vec![problem]));
        }
    }

    #[test]
    fn hourly_quota_is_unlimited_on_loopback() {
        let quota = |value| read("REGISTRATIONS", value, |reader| reader.per_hour("REGISTRATIONS"));
        let (unset, problems) = quota(None);
        assert_eq!((unset.at(false), unset.at(true), problems.len()), (100, HourlyQuota::UNLIMITED, 0));
        let (set, problems) = quota(Some("7"));
        assert_eq!((set.at(false), set.at(true), problems.len()), (7, 7, 0));
        let (bad, problems) = quota(Some("many"));
        assert_eq!((bad, problems.len()), (unset, 1));
        assert_eq!(quota(Some("-1")).0.at(true), 0);
    }

    #[test]
    fn setting_outside_of_the_table_is_a_problem() {
        assert_eq!(read("X", None, |reader| reader.number("X")).1, ["X is not in the table of settings"]);
    }
}
