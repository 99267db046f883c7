//! Lists of images as clients send them.

use std::{borrow::Cow, collections::HashMap};

use crate::{
    domain::{
        json::{self, Json},
        names::is_image_id,
    },
    error::{Result, invalid},
};

/// Images of a repository at most; their list then fits a row of the database.
pub const MAX_IMAGES: usize = 10_000;

/// The longest checksum: longer than `tarsum+sha256:` and 64 digits.
const MAX_CHECKSUM_LENGTH: usize = 100;

/// An image as it is announced. Old clients send more (`Tag`), which is not kept: a client that
/// reads it back would tag the wrong image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image<'a> {
    /// 64 hex digits.
    pub id: Cow<'a, str>,
    /// Opaque: `tarsum+sha256:…`, `sha256:…`, bare hex.
    pub checksum: Option<Cow<'a, str>>,
}

/// Reads the body of a `PUT`: a JSON list of images, perhaps empty. One id that is named several
/// times (once a tag) is one image, at its first place, with the first checksum that it has.
pub fn parse(body: &[u8]) -> Result<Vec<Image<'_>>> {
    let Some(body) = json::parse(body) else { return invalid("Invalid JSON") };
    let Some(entries) = json::elements(body) else { return invalid("A list of images is expected") };
    let mut images: Vec<Image<'_>> = Vec::new();
    let mut known = HashMap::new();
    for entry in entries {
        let image = image(entry)?;
        if let Some(first) = known.get(&image.id).and_then(|&place: &usize| images.get_mut(place)) {
            first.checksum = first.checksum.take().or(image.checksum);
        } else {
            known.insert(image.id.clone(), images.len());
            images.push(image);
        }
        if images.len() > MAX_IMAGES {
            return invalid(format!("A repository holds at most {MAX_IMAGES} images"));
        }
    }
    Ok(images)
}

fn image(entry: &Json) -> Result<Image<'_>> {
    let no_image = || invalid("An image is an object with an id and perhaps a checksum");
    let Some(id) = json::member(entry, "id").and_then(json::text) else { return no_image() };
    let checksum = match json::member(entry, "checksum").filter(|checksum| !json::is_null(checksum)) {
        None => None,
        Some(checksum) => match json::text(checksum) {
            Some(checksum) => Some(checksum).filter(|checksum| !checksum.is_empty()),
            None => return no_image(),
        },
    };
    if !is_image_id(&id) {
        return invalid("An image id is 64 lower-case hexadecimal digits");
    }
    let fits = |checksum: &Cow<'_, str>| {
        checksum.len() <= MAX_CHECKSUM_LENGTH
            && checksum.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    if checksum.as_ref().is_some_and(|checksum| !fits(checksum)) {
        return invalid(format!("A checksum is at most {MAX_CHECKSUM_LENGTH} printable characters"));
    }
    Ok(Image { id, checksum })
}

/// The list as one JSON text of pairs, for the database. Neither half holds anything that JSON escapes.
#[must_use]
pub fn pairs(images: &[Image<'_>]) -> String {
    let length = |image: &Image<'_>| image.id.len() + image.checksum.as_ref().map_or(0, |checksum| checksum.len()) + 9;
    let mut pairs = String::with_capacity(images.iter().map(length).sum::<usize>() + 2);
    for image in images {
        pairs.push_str(if pairs.is_empty() { "[[\"" } else { "],[\"" });
        pairs.push_str(&image.id);
        match &image.checksum {
            None => pairs.push_str("\",null"),
            Some(checksum) => {
                pairs.push_str("\",\"");
                pairs.push_str(checksum);
                pairs.push('"');
            }
        }
    }
    pairs.push_str(if pairs.is_empty() { "[]" } else { "]]" });
    pairs
}

/// The JSON of a list of images, from the text that the database keeps: each image its id, followed by its checksum,
/// separated by blanks. Neither has characters that JSON escapes.
#[must_use]
pub fn encode(images: &str) -> String {
    let mut answer = String::with_capacity(images.len() * 3 / 2 + 2);
    for image in images.split(' ').filter(|image| !image.is_empty()) {
        let (id, checksum) = image.split_at_checked(64).unwrap_or((image, ""));
        answer.push_str(if answer.is_empty() { "[{\"id\":\"" } else { "},{\"id\":\"" });
        answer.push_str(id);
        if !checksum.is_empty() {
            answer.push_str("\",\"checksum\":\"");
            answer.push_str(checksum);
        }
        answer.push('"');
    }
    answer.push_str(if answer.is_empty() { "[]" } else { "}]" });
    answer
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn id(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    #[test]
    fn one_id_with_several_tags_is_one_image() {
        let body = json!([
            { "id": id('a'), "Tag": "1.0" },
            { "id": id('b'), "checksum": "" },
            { "id": id('a'), "Tag": "latest", "checksum": "sha256:x" },
            { "id": id('a'), "checksum": "sha256:y" },
        ]);
        let body = body.to_string();
        let images = parse(body.as_bytes()).unwrap();
        assert_eq!(
            images,
            [
                Image { id: id('a').into(), checksum: Some("sha256:x".into()) },
                Image { id: id('b').into(), checksum: None }
            ]
        );
        assert_eq!(pairs(&images), format!(r#"[["{}","sha256:x"],["{}",null]]"#, id('a'), id('b')));
    }

    #[test]
    fn checksum_is_short_and_printable() {
        let taken = |checksum: &str| {
            parse(json!([{ "id": id('a'), "checksum": checksum }]).to_string().as_bytes())
                .is_ok_and(|images| images.len() == 1)
        };
        for (checksum, good) in [
            ("tarsum+sha256:x", true),
            ("!~", true),
            (&"x".repeat(MAX_CHECKSUM_LENGTH), true),
            (&"x".repeat(MAX_CHECKSUM_LENGTH + 1), false),
            ("a b", false),
            ("a\"b", false),
            ("a\\b", false),
            ("é", false),
        ] {
            assert_eq!(taken(checksum), good, "{checksum}");
        }
    }

    #[test]
    fn image_list_is_printed() {
        assert_eq!(encode(""), "[]");
        let (first, second) = (id('a'), id('b'));
        let printed: Value = serde_json::from_str(&encode(&format!("{first} {second}sha256:x"))).unwrap();
        assert_eq!(printed, json!([{ "id": first }, { "id": second, "checksum": "sha256:x" }]));
    }

    #[test]
    fn malformed_image_list_is_refused() {
        let upper = format!(r#"[{{"id":"{}"}}]"#, id('A'));
        let short = format!(r#"[{{"id":"{}"}}]"#, &id('a')[1..]);
        let checksum = format!(r#"[{{"id":"{}","checksum":5}}]"#, id('a'));
        for body in ["", "{", "{}", "null", "\"\"", "[1]", "[{}]", &upper, &short, &checksum] {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
        let list = |n: usize| {
            let entries = (0..n).map(|i| json!({ "id": format!("{i:064x}") })).collect::<Vec<_>>();
            parse(Value::Array(entries).to_string().as_bytes()).map(|images| images.len())
        };
        assert_eq!(list(MAX_IMAGES).unwrap(), MAX_IMAGES);
        assert!(list(MAX_IMAGES + 1).is_err());
    }
}
