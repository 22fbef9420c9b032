//! HTML, written so that text cannot become markup.

use std::fmt::Display;

/// A piece of HTML. What is not in the source of this crate goes through [`text`](Self::text).
#[derive(Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Markup that was written here.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, for between tags and in quoted attributes.
    pub(super) fn text(&mut self, text: impl Display) -> &mut Self {
        for c in text.to_string().chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}' => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Text of users, kept from turning the direction of what stands around it.
    pub(super) fn isolated(&mut self, text: impl Display) -> &mut Self {
        self.raw("<bdi>").text(text).raw("</bdi>")
    }

    /// One piece after another.
    pub(super) fn add(&mut self, other: Markup) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_never_becomes_markup() {
        let mut markup = Markup::default();
        markup.raw("<p title=\"").text("\" onload='x'").raw("\">");
        markup.isolated("<script>&amp;\u{0}\u{202e}");
        assert_eq!(
            markup.into_string(),
            "<p title=\"&quot; onload=&#39;x&#39;\"><bdi>&lt;script&gt;&amp;amp;\u{fffd}\u{202e}</bdi>"
        );
    }
}
