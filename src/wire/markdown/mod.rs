//! The description of a repository, which people write in Markdown, as HTML for a page: the part of CommonMark and of
//! GFM's tables that `docs/pages.md` names. Nothing that the author writes becomes markup but by a rule of Markdown: HTML
//! is text here. What it costs grows as the text does, for any text, and what it gives is nested to a bounded depth.

mod blocks;
mod emphasis;
mod inlines;
mod line;
mod links;
mod render;
mod scan;
mod starts;
mod table;
#[cfg(test)]
mod tests;

use crate::domain::texts::{self, Form};

/// The HTML of a description. Its headings begin at the third level, below those of the page.
#[must_use]
pub fn html(text: &str) -> String {
    let text = texts::display(text, Form::Page);
    render::page(&blocks::parse(&text), text.len())
}
