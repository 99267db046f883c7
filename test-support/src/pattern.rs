//! Expected texts and values, in which `[name]` captures what it meets the first time and must equal it afterwards.

use std::collections::BTreeMap;

use serde_json::Value;

/// JSON arrays that look like a capture.
const WORDS_OF_JSON: [&str; 3] = ["null", "true", "false"];

/// The member that says that an object may have more members.
const MORE: &str = "...";

/// The captures of a page so far.
#[derive(Debug, Clone, Default)]
pub struct Captures(BTreeMap<String, Value>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece<'a> {
    Literal(&'a str),
    Capture(&'a str),
}

impl Captures {
    /// Sets a capture, whether it was set before or not.
    pub fn put(&mut self, name: &str, text: &str) {
        self.0.insert(name.to_owned(), Value::from(text));
    }

    /// The text with its captures filled in; an error names one that is not set.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let fill = |piece| match piece {
            Piece::Literal(text) => Ok(text.to_owned()),
            Piece::Capture(name) => self.known(name).ok_or_else(|| format!("nothing was caught as [{name}]")),
        };
        pieces(text).into_iter().map(fill).collect()
    }

    /// A body with its captures filled in. In JSON they are written as JSON: a token has quotes in it. A body without
    /// captures is left as it is, byte for byte.
    pub fn fill_body(&self, body: &str) -> Result<String, String> {
        let captures = pieces(body).iter().any(|piece| matches!(piece, Piece::Capture(_)));
        match serde_json::from_str(body) {
            Ok(value) if captures => Ok(self.fill_value(value)?.to_string()),
            _ => self.fill(body),
        }
    }

    fn fill_value(&self, value: Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => match whole(&text).and_then(|name| self.0.get(name)) {
                Some(caught) => caught.clone(),
                None => Value::from(self.fill(&text)?),
            },
            Value::Array(items) => items.into_iter().map(|item| self.fill_value(item)).collect::<Result<_, _>>()?,
            Value::Object(members) => {
                let filled = members.into_iter().map(|(name, value)| Ok((name, self.fill_value(value)?)));
                filled.collect::<Result<_, String>>()?
            }
            other => other,
        })
    }

    /// Whether this text is what was expected. A capture takes the shortest text with which the rest
    /// fits.
    pub fn text(&mut self, expected: &str, actual: &str) -> bool {
        let mut caught = Vec::new();
        let fits = self.fits(&pieces(expected), actual, &mut caught);
        if fits {
            self.0.extend(caught.into_iter().map(|(name, text)| (name.to_owned(), Value::from(text))));
        }
        fits
    }

    /// Whether this value is what was expected; an error says where it is not.
    pub fn json(&mut self, expected: &Value, actual: &Value) -> Result<(), String> {
        self.value(expected, actual, "body")
    }

    fn known(&self, name: &str) -> Option<String> {
        self.0.get(name).map(as_text)
    }

    fn fits<'a>(&self, pieces: &[Piece<'a>], actual: &'a str, caught: &mut Vec<(&'a str, &'a str)>) -> bool {
        let Some((piece, rest)) = pieces.split_first() else { return actual.is_empty() };
        let name = match piece {
            Piece::Literal(text) => {
                return actual.strip_prefix(text).is_some_and(|actual| self.fits(rest, actual, caught));
            }
            Piece::Capture(name) => *name,
        };
        let known = caught.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        if let Some(text) = known.or_else(|| self.known(name)) {
            return actual.strip_prefix(&text).is_some_and(|actual| self.fits(rest, actual, caught));
        }
        let ends = actual.char_indices().map(|(at, _)| at).chain([actual.len()]);
        for (taken, left) in ends.filter_map(|end| actual.split_at_checked(end)) {
            caught.push((name, taken));
            if self.fits(rest, left, caught) {
                return true;
            }
            caught.pop();
        }
        false
    }

    fn value(&mut self, expected: &Value, actual: &Value, place: &str) -> Result<(), String> {
        match (expected, actual) {
            (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
                let mut pairs = wanted.iter().zip(got).enumerate();
                pairs.try_for_each(|(at, (wanted, got))| self.value(wanted, got, &format!("{place}[{at}]")))
            }
            (Value::Object(_), Value::Object(_)) => self.object(expected, actual, place),
            (Value::String(text), _) if whole(text).is_some() => {
                let name = whole(text).unwrap_or_default();
                let caught = self.0.entry(name.to_owned()).or_insert_with(|| actual.clone());
                equal(caught, actual, place)
            }
            (Value::String(wanted), Value::String(got)) if self.text(wanted, got) => Ok(()),
            _ => equal(expected, actual, place),
        }
    }

    fn object(&mut self, expected: &Value, actual: &Value, place: &str) -> Result<(), String> {
        let (Some(wanted), Some(got)) = (expected.as_object(), actual.as_object()) else { return Ok(()) };
        for (name, value) in wanted.iter().filter(|(name, _)| *name != MORE) {
            let got = got.get(name).ok_or_else(|| format!("{place}.{name} is missing"))?;
            self.value(value, got, &format!("{place}.{name}"))?;
        }
        let more = got.keys().find(|name| !wanted.contains_key(*name)).filter(|_| !wanted.contains_key(MORE));
        more.map_or(Ok(()), |name| Err(format!("{place}.{name} was not expected")))
    }
}

fn equal(expected: &Value, actual: &Value, place: &str) -> Result<(), String> {
    if expected == actual { Ok(()) } else { Err(format!("{place} is {actual}, and not {expected}")) }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The name of the capture that this text is and nothing else.
fn whole(text: &str) -> Option<&str> {
    match pieces(text).as_slice() {
        [Piece::Capture(name)] => Some(name),
        _ => None,
    }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut from, mut search) = (0, 0);
    while let Some(open) = text.get(search..).and_then(|rest| rest.find('[')).map(|at| search + at) {
        search = open + 1;
        if let Some(name) = capture(text.get(search..).unwrap_or_default()) {
            pieces.extend(text.get(from..open).filter(|literal| !literal.is_empty()).map(Piece::Literal));
            pieces.push(Piece::Capture(name));
            from = search + name.len() + 1;
            search = from;
        }
    }
    pieces.extend(text.get(from..).filter(|literal| !literal.is_empty()).map(Piece::Literal));
    pieces
}

/// The name of a capture whose opening bracket stands before this text.
fn capture(text: &str) -> Option<&str> {
    let (name, _) = text.split_once(']')?;
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (fits && !WORDS_OF_JSON.contains(&name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn capture_takes_the_shortest_and_stays() {
        let mut captures = Captures::default();
        assert!(captures.text("signature=[one],repository=[two]", "signature=ab,repository=a,repository=b"));
        assert_eq!(captures.fill("[one] [two]").unwrap(), "ab a,repository=b");
        assert!(captures.text("x[one]y", "xaby"));
        assert!(!captures.text("x[one]y", "xacy"));
        assert!(!captures.text("plain", "plane"));
    }

    #[test]
    fn repeated_capture_is_one_text() {
        let mut captures = Captures::default();
        assert!(!captures.text("[a]-[a]", "x-y"));
        assert!(captures.text("[a]-[a]", "é-é"));
        assert!(captures.text("[empty]", ""));
        assert_eq!(captures.fill("<[empty]>").unwrap(), "<>");
    }

    #[test]
    fn failed_match_captures_nothing() {
        let mut captures = Captures::default();
        assert!(!captures.text("[a]!", "x?"));
        assert!(captures.fill("[a]").is_err());
    }

    #[test]
    fn json_arrays_are_no_captures() {
        for text in ["[]", r#"[{"id": 1}]"#, r#"["a"]"#, "[1]", "[null]", "[A]", "[a b]", "[a", "[-a]"] {
            assert_eq!(Captures::default().fill(text).unwrap(), text);
        }
        assert_eq!(pieces("[[a]]"), [Piece::Literal("["), Piece::Capture("a"), Piece::Literal("]")]);
    }

    #[test]
    fn values_of_any_type_are_captured_whole() {
        let mut captures = Captures::default();
        let expected = json!({ "id": "[id]", "url": "/r/[id]/[name]" });
        captures.json(&expected, &json!({ "url": "/r/7/app", "id": 7 })).unwrap();
        assert_eq!(captures.fill_body(r#"{"id": "[id]", "name": "a [name]"}"#).unwrap(), r#"{"id":7,"name":"a app"}"#);
        assert!(captures.json(&json!("[id]"), &json!("7")).is_err());
    }

    #[test]
    fn body_without_captures_is_sent_unchanged() {
        let captures = Captures::default();
        for body in ["{ \"a\" : 1.0 }", "{\"a\":", "[]", ""] {
            assert_eq!(captures.fill_body(body).unwrap(), body);
        }
    }

    #[test]
    fn quotes_stay_inside_a_json_string() {
        let mut captures = Captures::default();
        captures.put("token", "repository=\"a/b\"");
        assert_eq!(captures.fill_body(r#"["Token [token]"]"#).unwrap(), r#"["Token repository=\"a/b\""]"#);
    }

    #[test]
    fn members_must_be_equal_unless_open() {
        let mut captures = Captures::default();
        let mut check = |expected: Value, actual: Value| captures.json(&expected, &actual);
        assert!(check(json!({ "a": 1, "b": [1, 2] }), json!({ "b": [1, 2], "a": 1 })).is_ok());
        assert!(check(json!({ "a": 1, "...": "..." }), json!({ "a": 1, "b": 2 })).is_ok());
        assert_eq!(check(json!({ "a": 1 }), json!({ "a": 1, "b": 2 })).unwrap_err(), "body.b was not expected");
        assert_eq!(check(json!({ "a": 1, "...": "..." }), json!({})).unwrap_err(), "body.a is missing");
        assert_eq!(check(json!([{ "a": 1 }]), json!([{ "a": "1" }])).unwrap_err(), "body[0].a is \"1\", and not 1");
        assert!(check(json!([1, 2]), json!([2, 1])).is_err());
        assert!(check(json!([1]), json!([1, 1])).is_err());
        assert!(check(json!({ "a": 0 }), json!({ "a": false })).is_err());
    }
}
