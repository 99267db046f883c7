//! A source file as the rules read it: its tokens, what it names of the crate, its texts, its public items.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Item, Visibility};

/// A token of code: comments are none, and neither are doc comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// An identifier, an operator's character, a bracket, or a literal as it is written.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// The line, from 1.
    pub line: usize,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword.
    Word,
    /// One character of an operator, or a bracket.
    Sign,
    /// A string, a character or a number.
    Literal,
}

/// A source file.
pub struct Source {
    /// Where it is, from the root of the repository.
    pub path: String,
    /// All of it.
    pub text: String,
    /// What is code of it.
    pub tokens: Vec<Token>,
    /// The names of its public items and functions, with their lines.
    pub public: Vec<(String, usize)>,
}

impl Source {
    /// Reads a file. One that is not Rust is a failed test.
    pub fn parse(path: &str, text: &str) -> Self {
        let stream = text.parse::<TokenStream>().unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut public = Vec::new();
        for item in &file.items {
            public_names(item, &mut public);
        }
        Self { path: path.to_owned(), text: text.to_owned(), tokens, public }
    }

    /// The module that it belongs to: the first folder below `src`, or the file itself.
    pub fn module(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// Every path of the crate that it names, without `crate::`, with its line. One from `super` counts when `is_module` says
    /// that it leads to a module of the crate.
    pub fn paths(&self, is_module: impl Fn(&str) -> bool) -> Vec<(String, usize)> {
        let mut paths = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let root = match token.text.as_str() {
                "crate" => true,
                "super" => false,
                _ => continue,
            };
            if let Some(rest) = separated(&self.tokens[at + 1..]) {
                let mut found = Vec::new();
                tree(rest, "", &mut found);
                paths.extend(found.into_iter().filter(|path| root || is_module(path)).map(|path| (path, token.line)));
            }
        }
        paths
    }

    /// Its texts, without their quotes, with their lines.
    pub fn texts(&self) -> impl Iterator<Item = (String, usize)> {
        self.tokens.iter().filter(|token| token.kind == Kind::Literal).filter_map(|token| {
            let literal = syn::parse_str::<syn::LitStr>(&token.text).ok()?;
            Some((literal.value(), token.line))
        })
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |text: String, kind| tokens.push(Token { text, kind, line });
        match tree {
            TokenTree::Ident(ident) => push(ident.to_string(), Kind::Word),
            TokenTree::Literal(literal) => push(literal.to_string(), Kind::Literal),
            TokenTree::Punct(sign) => push(sign.as_char().to_string(), Kind::Sign),
            // `#[doc = "..."]` is how a doc comment arrives.
            TokenTree::Group(group) if is_doc(&group.stream()) => {}
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                let end = group.span_close().start().line;
                push(open.to_owned(), Kind::Sign);
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), kind: Kind::Sign, line: end });
            }
        }
    }
}

fn is_doc(stream: &TokenStream) -> bool {
    let mut trees = stream.clone().into_iter();
    let is_doc = matches!(trees.next(), Some(TokenTree::Ident(ident)) if ident == "doc");
    is_doc && matches!(trees.next(), Some(TokenTree::Punct(sign)) if sign.as_char() == '=')
}

/// What follows `::` at the beginning of tokens.
fn separated(tokens: &[Token]) -> Option<&[Token]> {
    match tokens {
        [first, second, rest @ ..] if first.text == ":" && second.text == ":" => Some(rest),
        _ => None,
    }
}

/// The paths at the beginning of tokens (`a::b`, or `{a, b::{c, d}}`), each with `prefix` before it; returns what follows.
fn tree<'a>(tokens: &'a [Token], prefix: &str, found: &mut Vec<String>) -> &'a [Token] {
    let Some((first, mut rest)) = tokens.split_first() else { return tokens };
    if first.text == "{" {
        loop {
            match rest.first().map(|token| token.text.as_str()) {
                None => return rest,
                Some("}") => return &rest[1..],
                Some(",") => rest = &rest[1..],
                Some(_) => {
                    let left = tree(rest, prefix, found);
                    // Nothing that a list of paths can hold.
                    rest = if left.len() == rest.len() { &rest[1..] } else { left };
                }
            }
        }
    }
    if first.kind != Kind::Word && first.text != "*" {
        return tokens;
    }
    let path = if prefix.is_empty() { first.text.clone() } else { format!("{prefix}::{}", first.text) };
    if let Some(deeper) = separated(rest) {
        return tree(deeper, &path, found);
    }
    found.push(path);
    match rest {
        [alias, _, rest @ ..] if alias.text == "as" => rest,
        _ => rest,
    }
}

fn public_names(item: &Item, names: &mut Vec<(String, usize)>) {
    let mut add = |visibility: &Visibility, ident: &syn::Ident| {
        if !matches!(visibility, Visibility::Inherited) {
            names.push((ident.to_string(), ident.span().start().line));
        }
    };
    match item {
        Item::Const(item) => add(&item.vis, &item.ident),
        Item::Enum(item) => add(&item.vis, &item.ident),
        Item::Fn(item) => add(&item.vis, &item.sig.ident),
        Item::Static(item) => add(&item.vis, &item.ident),
        Item::Struct(item) => add(&item.vis, &item.ident),
        Item::Trait(item) => add(&item.vis, &item.ident),
        Item::Type(item) => add(&item.vis, &item.ident),
        Item::Mod(item) => {
            add(&item.vis, &item.ident);
            for item in item.content.iter().flat_map(|(_, items)| items) {
                public_names(item, names);
            }
        }
        Item::Impl(item) => {
            for item in &item.items {
                if let syn::ImplItem::Fn(function) = item {
                    add(&function.vis, &function.sig.ident);
                }
            }
        }
        _ => {}
    }
}
