//! JSON of unknown origin, piece by piece. Members that are not used are skipped and take no memory; the others stay
//! where they are until they are parsed into a type. So no text takes many times its size.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};

pub use serde_json::value::RawValue as Json;

/// A whole text; nothing where it is not JSON.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<&Json> {
    serde_json::from_str(str::from_utf8(bytes).ok()?).ok()
}

/// Whether it is an object.
#[must_use]
pub fn is_object(json: &Json) -> bool {
    json.get().starts_with('{')
}

/// Whether it is null.
#[must_use]
pub fn is_null(json: &Json) -> bool {
    json.get() == "null"
}

/// A member of an object, the last one of this name; nothing of what is no object.
#[must_use]
pub fn member<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    serde_json::Deserializer::from_str(json.get()).deserialize_map(Member(name)).ok()?
}

/// The elements of a list, one after the other; nothing of what is no list.
#[must_use]
pub fn elements(json: &Json) -> Option<Elements<'_>> {
    json.get().strip_prefix('[').map(Elements)
}

/// Something of this form; nothing of what has another.
#[must_use]
pub fn value<'a, T: Deserialize<'a>>(json: &'a Json) -> Option<T> {
    serde_json::from_str(json.get()).ok()
}

/// A text, where it stands if nothing in it is escaped. Of what is none nothing is read: the words of an error would
/// be longer.
#[must_use]
pub fn text(json: &Json) -> Option<Cow<'_, str>> {
    let inside = json.get().strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') { value(json).map(Cow::Owned) } else { Some(Cow::Borrowed(inside)) }
}

/// Elements of a list that was read over before: what is left of it.
#[derive(Debug, Clone)]
pub struct Elements<'a>(&'a str);

impl<'a> Iterator for Elements<'a> {
    type Item = &'a Json;

    fn next(&mut self) -> Option<&'a Json> {
        let rest = self.0.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter();
        let element = stream.next()?.ok()?;
        self.0 = rest.get(stream.byte_offset()..)?;
        Some(element)
    }
}

/// Looks for a member.
struct Member<'n>(&'n str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de Json>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(wanted) = members.next_key_seed(Name(self.0))? {
            if wanted {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a member has this name.
struct Name<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_pieces_are_found() {
        let json = parse(br#" {"a": 1, "\u0062": [1, "x,]" ,{"c":[]}], "a": "\u00e9", "d": "plain"} "#).unwrap();
        assert!(is_object(json));
        let text_of = |name| text(member(json, name).unwrap());
        assert_eq!(text_of("a"), Some(Cow::Owned::<str>("é".into())));
        assert!(matches!(text_of("d"), Some(Cow::Borrowed("plain"))));
        assert_eq!(text_of("b"), None);
        assert!(member(json, "c").is_none());
        let list = member(json, "b").unwrap();
        assert_eq!(elements(list).unwrap().map(Json::get).collect::<Vec<_>>(), ["1", r#""x,]""#, r#"{"c":[]}"#]);
        assert!(elements(json).is_none() && member(list, "a").is_none() && !is_object(list));
        assert_eq!(elements(parse(b"[]").unwrap()).unwrap().count(), 0);
        for other in ["", "{", "[1,]", "{}{}", "\u{feff}{}", "{\"a\":1,}"] {
            assert!(parse(other.as_bytes()).is_none(), "{other}");
        }
        assert!(parse(b"\"\xff\"").is_none());
    }

    #[test]
    fn nesting_depth_is_bounded() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let json = parse(deep.as_bytes()).unwrap();
        assert!(value::<serde_json::Value>(json).is_none());
        assert_eq!(elements(json).unwrap().count(), 1);
    }
}
