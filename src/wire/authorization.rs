//! The Authorization header, read strictly.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::domain::Secret;

/// What a caller presents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// No header, or an empty name with an empty password, which old clients send for an anonymous request.
    Anonymous,
    /// A user's name with a password or an access token.
    Basic {
        /// As it was typed.
        name: String,
        /// Perhaps empty; may hold colons.
        secret: Secret,
    },
    /// A repository token, without its scheme.
    Token(Secret),
    /// A registry token or a session token.
    Bearer(Secret),
}

/// Some clients leave the padding of base64 away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Authorization {
    /// Reads the header; nothing for one of another form. Two headers arrive as one line with a
    /// comma between them, which no form here has.
    #[must_use]
    pub fn parse(header: Option<&str>) -> Option<Self> {
        let Some(header) = header else { return Some(Self::Anonymous) };
        let (scheme, rest) = trimmed(header).split_once(' ')?;
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        if is("basic") {
            return basic(trimmed(rest));
        }
        if is("token") {
            return Some(Self::Token(Secret::new(canonical(rest))));
        }
        // Docker Hub's older tools say JWT where the others say Bearer.
        (is("bearer") || is("jwt")).then(|| Self::Bearer(Secret::new(trimmed(rest))))
    }
}

/// Without the blanks that HTTP allows around a value. What Unicode has besides is part of it.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn basic(encoded: &str) -> Option<Authorization> {
    // What is no UTF-8 is of a client that knows none: HTTP's own letters are those of Latin-1.
    let text = String::from_utf8(BASE64.decode(encoded).ok()?);
    let text = text.unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect());
    let (name, secret) = text.split_once(':')?;
    if name.is_empty() {
        return secret.is_empty().then_some(Authorization::Anonymous);
    }
    Some(Authorization::Basic { name: name.to_owned(), secret: Secret::new(secret) })
}

/// A repository token as hublet prints it: without a second scheme, which clients add to a value that has one, and
/// without the one blank that some put after a comma.
fn canonical(rest: &str) -> String {
    let token = match rest.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("token") => token,
        _ => rest,
    };
    token.replace(", ", ",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(name: &str, secret: &str) -> Authorization {
        Authorization::Basic { name: name.into(), secret: Secret::new(secret) }
    }

    fn token(text: &str) -> Authorization {
        Authorization::Token(Secret::new(text))
    }

    #[test]
    fn forms() {
        let read = |header: &str| Authorization::parse(Some(header)).unwrap();
        assert_eq!(Authorization::parse(None), Some(Authorization::Anonymous));
        assert_eq!(read("Basic Og=="), Authorization::Anonymous);
        assert_eq!(read("basic cGF1bDp0b3RvNDI="), basic("paul", "toto42"));
        assert_eq!(read("Basic cGF1bDp0b3RvNDI"), basic("paul", "toto42"));
        assert_eq!(read("Basic cGF1bDphOmI="), basic("paul", "a:b"));
        assert_eq!(read("Basic cGF1bDrDqcOp"), basic("paul", "éé"));
        assert_eq!(read("Basic cGF1bDrp6Q=="), basic("paul", "éé"));
        assert_eq!(read("Token a=b,c=\"d\""), token("a=b,c=\"d\""));
        assert_eq!(read("token a=b, c=d"), token("a=b,c=d"));
        assert_eq!(read("Token Token a=b"), token("a=b"));
        assert_eq!(read("Token a=b,  c=d"), token("a=b, c=d"));
        assert_eq!(read("Bearer x.y.z\u{a0}"), Authorization::Bearer(Secret::new("x.y.z\u{a0}")));
        assert_eq!(read("JWT x.y.z"), Authorization::Bearer(Secret::new("x.y.z")));
    }

    #[test]
    fn other_forms_are_refused() {
        for header in [
            "",
            "Basic",
            "Basic ",
            "Basic cGF1bA==",
            "Basic cGF1bDp0b3RvNDI=, Basic cGF1bDp0b3RvNDI=",
            "Basic ====",
            "Basic OnNlY3JldA==",
            "Digest username=\"paul\"",
            "\u{3000}Basic cGF1bDp0b3RvNDI=",
            "Basic cGF1bDp0b3RvNDI=\u{a0}",
        ] {
            assert_eq!(Authorization::parse(Some(header)), None, "{header}");
        }
    }
}
