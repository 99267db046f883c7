//! Markdown of descriptions: what comes out is markup of ours alone, whatever goes in.

use hublet::wire::markdown;

use super::text;

/// The elements of a page, but links, lists that begin at a number, and cells that stand elsewhere.
const ELEMENTS: &str = "p h3 h4 h5 h6 ul ol li blockquote pre code em strong del table thead tbody tr th td";

/// The elements without an end.
const VOID: &str = "br hr";

const SCHEMES: [&str; 3] = ["http://", "https://", "mailto:"];

/// What text has instead of letters with a meaning.
const ENTITIES: [&str; 5] = ["amp;", "lt;", "gt;", "quot;", "nbsp;"];

/// The elements in one another: 24 containers, those of a table, a link, and emphasis.
const MAX_DEPTH: usize = 48;

/// For each byte that goes in.
const MAX_BYTES: usize = 32;

/// A description: only what is on the lists comes out, each element ends in the one in which it began, and a page is
/// not much longer than its text.
pub fn description(bytes: &[u8]) {
    let written = text(bytes);
    let html = markdown::html(&written);
    assert!(html.len() <= MAX_BYTES * (written.len() + 1), "{} bytes become {}", written.len(), html.len());
    let mut open: Vec<&str> = Vec::new();
    let mut parts = html.split('<');
    characters(parts.next().unwrap_or_default());
    for part in parts {
        let Some((tag, text)) = part.split_once('>') else { panic!("a tag has no end: {part:?}") };
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{html:?}");
        } else if !VOID.split(' ').any(|name| name == tag) {
            open.push(element(tag));
        }
        assert!(open.len() <= MAX_DEPTH && open.iter().filter(|name| **name == "a").count() <= 1, "{html:?}");
        characters(text);
    }
    assert!(open.is_empty(), "{html:?}");
}

/// The name of an element, whose attributes are those that it may have.
fn element(tag: &str) -> &str {
    let Some((name, attributes)) = tag.split_once(' ') else {
        assert!(ELEMENTS.split(' ').any(|name| name == tag), "<{tag}>");
        return tag;
    };
    let value = |start: &str, end: &str| attributes.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    let allowed = match name {
        "a" => value("href=\"", "\" rel=\"nofollow ugc noopener noreferrer\"").is_some_and(|address| {
            characters(address);
            let lower = address.to_ascii_lowercase();
            SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
                && !address.contains(|letter: char| letter.is_control() || letter.is_whitespace())
        }),
        "ol" => value("start=\"", "\"").is_some_and(|number| number.parse::<u32>().is_ok()),
        "th" | "td" => ["class=\"center\"", "class=\"end\""].contains(&attributes),
        "div" => attributes == "class=\"scroll\" tabindex=\"0\"",
        _ => false,
    };
    assert!(allowed, "<{tag}>");
    name
}

/// That a text between tags, or of an attribute, ends neither.
fn characters(text: &str) {
    assert!(!text.contains(['"', '>', '\0']), "{text:?}");
    let mut entities = text.split('&').skip(1);
    assert!(entities.all(|rest| ENTITIES.iter().any(|entity| rest.starts_with(entity))), "{text:?}");
}
