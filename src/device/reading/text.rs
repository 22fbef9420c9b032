//! Text of strangers, made fit to be shown.

/// Cuts a text to at most `max` bytes and drops what could disturb a page or a log: control
/// characters, and the marks that turn the direction of writing around.
pub(super) fn shown(text: &str, max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max));
    for c in text.trim().chars().filter(|c| !disturbs(*c)) {
        if shown.len() + c.len_utf8() > max {
            break;
        }
        shown.push(c);
    }
    shown
}

fn disturbs(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        assert_eq!(shown("aäa", 2), "a");
        assert_eq!(shown("aäa", 3), "aä");
        assert_eq!(shown(&"ä".repeat(600), 512).len(), 512);
    }

    #[test]
    fn control_characters_and_direction_marks_are_dropped() {
        assert_eq!(shown("cu\u{1b}[31mrl\r\n", 512), "cu[31mrl");
        assert_eq!(shown("a\u{202e}b\u{2066}c\u{200f}", 512), "abc");
    }
}
