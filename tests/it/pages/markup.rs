//! A page as the parser of a browser reads it: its elements with their attributes, in order, and its text.

use std::cell::RefCell;

use html5ever::{
    TokenizerResult,
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind::{Rawtext, Rcdata, ScriptData},
    },
};

/// Attributes that have an address.
const ADDRESSES: [&str; 6] = ["href", "src", "action", "formaction", "poster", "data"];

/// Elements that no description makes.
const NOT_DESCRIBED: [&str; 14] = [
    "script", "style", "img", "iframe", "object", "embed", "form", "input", "button", "svg", "math", "link", "meta",
    "base",
];

/// What is in a page.
#[derive(Debug, Default)]
pub struct Markup {
    /// Tags with the names of their attributes, comments and the like, but for those of a description.
    pub structure: Vec<String>,
    /// What has no place in any page.
    pub faults: Vec<String>,
    /// What is to be read, but for what stands in fields of forms, and for a description.
    pub text: String,
}

/// Reads a page.
pub fn read(page: &str) -> Markup {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(page));
    let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
    while let TokenizerResult::Script(()) = tokenizer.feed(&input) {}
    tokenizer.end();
    tokenizer.sink.0.into_inner().markup
}

#[derive(Default)]
struct State {
    markup: Markup,
    /// Within the description of a repository, which has elements of its author.
    described: bool,
    /// Within a field, which has what was typed.
    typed: bool,
}

#[derive(Default)]
struct Reader(RefCell<State>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let state = &mut *self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return state.tag(&tag),
            Token::CharacterTokens(text) if !state.described && !state.typed => state.markup.text.push_str(&text),
            Token::NullCharacterToken if !state.typed => state.markup.faults.push("a NUL".into()),
            Token::CommentToken(_) | Token::DoctypeToken(_) => state.markup.structure.push(format!("{token:?}")),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        let attribute = |name: &str| tag.attrs.iter().find(|attribute| &*attribute.name.local == name);
        let class = attribute("class").map_or("", |attribute| &*attribute.value);
        if tag.kind == TagKind::EndTag {
            self.described &= name != "article";
            self.typed &= name != "textarea";
        }
        self.check(tag);
        self.markup.text.push('\n');
        if !self.described {
            let names = tag.attrs.iter().map(|attribute| &*attribute.name.local).collect::<Vec<_>>().join(" ");
            self.markup.structure.push(format!("{:?} {name} {names}", tag.kind));
        }
        if tag.kind == TagKind::EndTag {
            return TokenSinkResult::Continue;
        }
        self.described |= name == "article" && class == "markdown";
        self.typed |= name == "textarea";
        // As the builder of the tree has the text of these read.
        match name {
            "title" | "textarea" => TokenSinkResult::RawData(Rcdata),
            "script" => TokenSinkResult::RawData(ScriptData),
            "style" | "iframe" | "noframes" | "xmp" | "noembed" => TokenSinkResult::RawData(Rawtext),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    fn check(&mut self, tag: &Tag) {
        let name = &*tag.name;
        if self.described && NOT_DESCRIBED.contains(&name) {
            self.markup.faults.push(format!("{name} in a description"));
        }
        for attribute in &tag.attrs {
            let (of, value) = (&*attribute.name.local, &*attribute.value);
            // Browsers leave these out, and take a backslash for a slash.
            let path = value.replace(['\t', '\n', '\r'], "");
            let own = path.starts_with('/') && !path[1..].starts_with(['/', '\\']) || path == "#main";
            let foreign = self.described
                && ["http:", "https:", "mailto:"]
                    .iter()
                    .any(|scheme| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
            if of.starts_with("on") || of == "style" || of == "srcdoc" {
                self.markup.faults.push(format!("the attribute {of} of {name}"));
            } else if ADDRESSES.contains(&of) && !own && !foreign {
                self.markup.faults.push(format!("{of}={value:?} of {name}"));
            }
        }
    }
}

#[test]
fn planted_markup_is_found() {
    let harmless = read("<title>a</title><p class=\"b\">c<textarea>d</textarea><a href=\"/e\">f</a>");
    assert_eq!(harmless.faults, Vec::<String>::new());
    assert_eq!(harmless.text.split_whitespace().collect::<String>(), "acf");
    let same = "<title>a&lt;b&gt;</title><p class=\"&quot;\">c<textarea><b></textarea><a href=\"/%22\">f</a>";
    assert_eq!(read(same).structure, harmless.structure);
    for other in [
        "<title>a</title><b></title><p class=\"b\">c<textarea>d</textarea><a href=\"/e\">f</a>",
        "<title>a</title><p class=\"b\" id=\"\">c<textarea>d</textarea><a href=\"/e\">f</a>",
        "<title>a</title><p class=\"b\">c<textarea></textarea><i></textarea><a href=\"/e\">f</a>",
        "<title>a</title><p class=\"b\">c<!--d--><textarea>d</textarea><a href=\"/e\">f</a>",
    ] {
        assert_ne!(read(other).structure, harmless.structure, "{other}");
    }
    for fault in [
        "<a href=\"javascript:a\">",
        "<a href=\"//a\">",
        "<a href=\"/&#9;\\a\">",
        "<a href=\"https://a\">",
        "<p onclick=\"a\">",
        "<p style=\"a\">",
        "<article class=\"markdown\"><a href=\"java&#10;script:a\">",
        "<article class=\"markdown\"><img>",
    ] {
        assert_eq!(read(fault).faults.len(), 1, "{fault}");
    }
    let described = read("<article class=\"markdown\"><a href=\"https://a\">b</a></article><p>c");
    assert_eq!((described.faults.len(), described.structure.len(), described.text.trim()), (0, 3, "c"));
}
