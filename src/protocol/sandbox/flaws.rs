//! What is wrong with one parameter, in the shape of the framework that mesh-sandbox is written with.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// What is wrong with one parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flaw(Map<String, Value>);

impl Flaw {
    /// It is not there.
    #[must_use]
    pub fn missing(place: &str, name: &str) -> Self {
        Self::new("missing", place, name, "Field required".to_owned())
    }

    /// It has more characters than it may, or fewer.
    #[must_use]
    pub fn of_length(place: &str, name: &str, text: &str, least: usize, most: usize) -> Option<Self> {
        let length = text.chars().count();
        if length > most {
            let words = format!("String should have at most {most} characters");
            let flaw = Self::new("string_too_long", place, name, words);
            return Some(flaw.with(text, json!({ "max_length": most })));
        }
        let plural = if least == 1 { "" } else { "s" };
        let words = format!("String should have at least {least} character{plural}");
        let flaw = || Self::new("string_too_short", place, name, words);
        (length < least).then(|| flaw().with(text, json!({ "min_length": least })))
    }

    /// It is no time.
    #[must_use]
    pub fn no_time(place: &str, name: &str, text: &str) -> Self {
        Self::new("datetime_parsing", place, name, "Input should be a valid datetime".to_owned()).given(text)
    }

    /// Reads a number within bounds.
    ///
    /// # Errors
    /// It is no number, or out of bounds.
    pub fn number(place: &str, name: &str, text: &str, least: i64, most: i64) -> Result<i64, Self> {
        let new = |kind, words: &str| Self::new(kind, place, name, words.to_owned());
        let Ok(number) = text.trim().parse::<i64>() else {
            let words = "Input should be a valid integer, unable to parse string as an integer";
            return Err(new("int_parsing", words).given(text));
        };
        if number < least {
            let words = format!("Input should be greater than or equal to {least}");
            return Err(new("greater_than_equal", &words).with(text, json!({ "ge": least })));
        }
        if number > most {
            let words = format!("Input should be less than or equal to {most}");
            return Err(new("less_than_equal", &words).with(text, json!({ "le": most })));
        }
        Ok(number)
    }

    fn new(kind: &str, place: &str, name: &str, words: String) -> Self {
        let mut fields = Map::new();
        fields.insert("type".to_owned(), json!(kind));
        fields.insert("loc".to_owned(), json!([place, name]));
        fields.insert("msg".to_owned(), json!(words));
        Self(fields)
    }

    fn given(mut self, text: &str) -> Self {
        self.0.insert("input".to_owned(), json!(text));
        self
    }

    fn with(self, text: &str, context: Value) -> Self {
        let mut flaw = self.given(text);
        flaw.0.insert("ctx".to_owned(), context);
        flaw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flaw_says_where_what_and_by_which_limit() {
        assert_eq!(
            serde_json::to_value(Flaw::number("query", "max_results", "9", 10, 5000).unwrap_err()).unwrap(),
            json!({ "type": "greater_than_equal", "loc": ["query", "max_results"], "input": "9", "ctx": { "ge": 10 },
                "msg": "Input should be greater than or equal to 10" })
        );
        assert_eq!(Flaw::number("query", "max_results", " +10 ", 10, 5000), Ok(10));
        assert!(Flaw::number("query", "max_results", "5001", 10, 5000).is_err());
        assert!(Flaw::number("query", "max_results", "", 10, 5000).is_err());
        assert_eq!(Flaw::of_length("query", "a", "four", 2, 4), None);
        assert!(Flaw::of_length("query", "a", "f", 2, 4).is_some());
        assert!(Flaw::of_length("query", "a", "fiver", 2, 4).is_some());
    }
}
