//! A source file as the rules see it: without comments, texts and tests, and with its paths found.

/// One source file.
pub struct Source {
    /// As `src/token/source.rs`.
    pub path: String,
    /// The rooms down to the file, as `["token", "source"]`; empty for `lib.rs`.
    pub rooms: Vec<String>,
    /// The code, line by line, with blanks for comments, the insides of texts, and inline tests.
    pub code: String,
    /// Whether the file is test code as a whole.
    pub is_test: bool,
    /// How many lines it has without its inline tests.
    pub lines: usize,
}

/// A path that the code names, from the crate's root where it is one of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    pub line: usize,
    /// As `["crate", "token", "UserId"]` or `["http", "HeaderMap"]`.
    pub segments: Vec<String>,
}

impl Source {
    pub fn parse(path: &str, text: &str) -> Self {
        let mut code = without_comments_and_texts(text);
        let lines = blank_inline_tests(&mut code);
        let rooms = rooms_of(path);
        let is_test = rooms
            .iter()
            .any(|room| matches!(room.as_str(), "tests" | "fixtures"));
        Self {
            path: path.to_owned(),
            rooms,
            code,
            is_test,
            lines,
        }
    }

    /// The first room, as `"token"`; empty for `lib.rs`.
    pub fn room(&self) -> &str {
        self.rooms.first().map_or("", String::as_str)
    }

    /// Every path that the code names, in `use` lines and elsewhere, with `self` and `super`
    /// resolved.
    pub fn named(&self) -> Vec<Named> {
        let mut found = Vec::new();
        let tokens = tokens(&self.code);
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at].text == "use" {
                at = use_tree(&tokens, at + 1, &[], &mut found);
            } else if is_name(tokens[at].text) && !follows_path(&tokens, at) {
                at = plain_path(&tokens, at, &mut found);
            } else {
                at += 1;
            }
        }
        for named in &mut found {
            self.resolve(&mut named.segments);
        }
        found
    }

    fn resolve(&self, segments: &mut Vec<String>) {
        let supers = segments.iter().take_while(|s| *s == "super").count();
        let from_self = segments.first().is_some_and(|first| first == "self");
        if supers == 0 && !from_self {
            return;
        }
        let depth = self.rooms.len().saturating_sub(supers);
        let base = &self.rooms[..depth];
        let rest = segments.split_off(supers + usize::from(from_self));
        *segments = std::iter::once("crate".to_owned())
            .chain(base.iter().cloned())
            .chain(rest)
            .collect();
    }
}

struct Token<'c> {
    text: &'c str,
    line: usize,
}

/// Names, `::`, and every other character by itself.
fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if first == '_' || first.is_alphanumeric() {
                rest.find(|c: char| c != '_' && !c.is_alphanumeric())
                    .unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push(Token {
                text: &rest[..length],
                line: index + 1,
            });
            rest = rest[length..].trim_start();
        }
    }
    found
}

/// Reads one tree of a `use` line; answers where it ends.
fn use_tree(
    tokens: &[Token<'_>],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Named>,
) -> usize {
    let mut segments = prefix.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(at) {
        match token.text {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    let end = use_tree(tokens, at, &segments, found);
                    let stuck = end == at;
                    let comma = tokens.get(end).is_some_and(|token| token.text == ",");
                    at = end + usize::from(comma || stuck);
                }
                return at + 1;
            }
            "as" => at += 2,
            // `use<'a, T>` in a type names nothing.
            name if is_name(name) || name == "*" => {
                segments.push(name.to_owned());
                at += 1;
            }
            _ => break,
        }
    }
    if segments.len() > prefix.len() {
        found.push(Named { line, segments });
    }
    at
}

fn plain_path(tokens: &[Token<'_>], start: usize, found: &mut Vec<Named>) -> usize {
    let mut segments = vec![tokens[start].text.to_owned()];
    let mut at = start + 1;
    while tokens.get(at).is_some_and(|token| token.text == "::")
        && tokens.get(at + 1).is_some_and(|token| is_name(token.text))
    {
        segments.push(tokens[at + 1].text.to_owned());
        at += 2;
    }
    if segments.len() > 1 {
        let line = tokens[start].line;
        found.push(Named { line, segments });
    }
    at
}

fn follows_path(tokens: &[Token<'_>], at: usize) -> bool {
    at > 0 && tokens[at - 1].text == "::"
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c.is_alphabetic())
}

fn rooms_of(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    let inner = inner.strip_suffix(".rs").unwrap_or(inner);
    inner
        .split('/')
        .filter(|room| !matches!(*room, "mod" | "lib"))
        .map(str::to_owned)
        .collect()
}

/// Blanks comments and the insides of texts, and keeps every line where it is.
fn without_comments_and_texts(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at..] {
            ['/', '/', ..] => line_end(&chars, at),
            ['/', '*', ..] => comment_end(&chars, at),
            ['"', ..] => text_end(&chars, at),
            ['r', '"' | '#', ..] if !continues_name(&chars, at) => raw_text_end(&chars, at),
            ['\'', '\\', _, '\'', ..] => at + 4,
            ['\'', _, '\'', ..] => at + 3,
            _ => at,
        };
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            let blank = |c: &char| if *c == '\n' { '\n' } else { ' ' };
            code.extend(chars[at..end].iter().map(blank));
            at = end;
        }
    }
    code
}

fn continues_name(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1] == '_' || chars[at - 1].is_alphanumeric()) && chars[at - 1] != 'b'
}

fn line_end(chars: &[char], at: usize) -> usize {
    let rest = chars[at..].iter().position(|c| *c == '\n');
    rest.map_or(chars.len(), |length| at + length)
}

fn comment_end(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn text_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    chars.len().min(at + 1)
}

/// The end of `r"..."` or `r#"..."#`; `start` itself for a raw name as `r#type`.
fn raw_text_end(chars: &[char], start: usize) -> usize {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return start;
    }
    let mut at = open + 1;
    while at < chars.len() {
        let closes = chars[at] == '"'
            && chars[at + 1..].len() >= hashes
            && chars[at + 1..at + 1 + hashes].iter().all(|c| *c == '#');
        if closes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    chars.len()
}

/// Blanks `#[cfg(test)] mod name { .. }`; answers how many lines are left.
fn blank_inline_tests(code: &mut String) -> usize {
    let mut kept = 0;
    let mut result = String::with_capacity(code.len());
    let mut lines = code.lines().peekable();
    while let Some(line) = lines.next() {
        let opens = line.trim() == "#[cfg(test)]"
            && lines
                .peek()
                .is_some_and(|next| next.contains("mod ") && next.trim_end().ends_with('{'));
        if !opens {
            kept += 1;
            result.push_str(line);
            result.push('\n');
            continue;
        }
        result.push('\n');
        let mut depth = 0;
        for inside in lines.by_ref() {
            result.push('\n');
            depth += inside.matches('{').count();
            depth -= inside.matches('}').count();
            if depth == 0 {
                break;
            }
        }
    }
    *code = result;
    kept
}
