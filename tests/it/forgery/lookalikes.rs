//! Texts that look like another one.

/// What could be taken for nothing, or for an end.
const INSERTED: [&str; 16] = [
    " ", "\t", ",", "=", "\"", ";", "%", "\0", "\r\n", "'", "\\", "\u{a0}", "\u{200b}", "\u{feff}", "\u{3000}",
    "\u{301}",
];

/// Letters of other scripts that look the same.
const TWINS: [(char, char); 14] = [
    ('a', 'а'),
    ('c', 'с'),
    ('e', 'е'),
    ('i', 'і'),
    ('j', 'ј'),
    ('o', 'ο'),
    ('p', 'р'),
    ('s', 'ѕ'),
    ('x', 'х'),
    ('y', 'у'),
    ('A', 'Α'),
    ('0', 'O'),
    ('1', 'l'),
    ('-', '‐'),
];

/// Every text that one slip makes of this one, and some that take more.
pub fn of(text: &str) -> Vec<String> {
    let letters = text.chars().collect::<Vec<_>>();
    let with = |from: usize, to: usize, middle: &str| {
        let (before, behind) = (letters.iter().take(from), letters.iter().skip(to));
        before.collect::<String>() + middle + &behind.collect::<String>()
    };
    let mut all = Vec::new();
    for (at, letter) in letters.iter().enumerate() {
        all.extend(INSERTED.iter().map(|inserted| with(at, at, inserted)));
        all.push(with(at, at + 1, ""));
        all.push(with(at, at, &letter.to_string()));
        all.push(with(at, at + 1, &swapped(*letter).to_string()));
        all.push(with(at, at + 1, &format!("%{:02X}", u32::from(*letter))));
        let wide = char::from_u32(u32::from(*letter) + 0xfee0);
        all.extend(wide.map(|wide| with(at, at + 1, &wide.to_string())));
        let twin = TWINS.iter().find(|(known, _)| known == letter);
        all.extend(twin.map(|(_, twin)| with(at, at + 1, &twin.to_string())));
        all.extend(letters.get(at + 1).map(|next| with(at, at + 2, &format!("{next}{letter}"))));
        all.push(with(at, letters.len(), ""));
        all.push(with(0, at + 1, ""));
    }
    all.extend(INSERTED.iter().map(|inserted| format!("{text}{inserted}")));
    all.extend(whole(text));
    all
}

fn whole(text: &str) -> Vec<String> {
    let parts = text.split(',').collect::<Vec<_>>();
    let mut all = vec![
        format!("{text}{text}"),
        format!("{text},{text}"),
        format!("{text}, {text}"),
        format!("{text}, Token {text}"),
        format!("{text}, Bearer {text}"),
        format!("{text} {text}"),
        format!("{text}=="),
        format!("\"{text}\""),
        format!("Bearer {text}"),
        format!("Basic {text}"),
        format!("token={text}"),
        format!("x,{text}"),
        format!("{text},x=y"),
        text.to_uppercase(),
        text.chars().map(swapped).collect(),
        text.chars().rev().collect(),
        text.replace('=', ":"),
        text.replace(',', ";"),
        text.replace('"', ""),
        text.replace('"', "'"),
        text.replace('-', "+").replace('_', "/"),
        text.replace(',', ",  "),
        text.replace('/', "%2F"),
        "null".into(),
        "*".into(),
        String::new(),
    ];
    // The same parameters in another order, one of them twice, or without one.
    for part in &parts {
        all.push(format!("{part},{text}"));
        all.push(format!("{text},{part}"));
        all.push(parts.iter().filter(|other| *other != part).copied().collect::<Vec<_>>().join(","));
    }
    all.push(parts.iter().rev().copied().collect::<Vec<_>>().join(","));
    for access in ["read", "write", "delete"] {
        all.push(format!("{text},access={access}"));
        all.push(format!("access={access},{text}"));
    }
    all
}

fn swapped(letter: char) -> char {
    if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
}

/// Whether a text is the other one to whoever reads headers: blanks around it are not part of a value, and a
/// repository token may have one behind a comma, and its scheme once more.
pub fn means(candidate: &str, text: &str) -> bool {
    let trimmed = candidate.trim_matches([' ', '\t']);
    let bare = trimmed.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("token"));
    [trimmed, bare.map_or(trimmed, |(_, rest)| rest)]
        .iter()
        .any(|form| *form == text || form.replace(", ", ",") == text)
}
