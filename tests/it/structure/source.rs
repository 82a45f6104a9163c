//! Just enough of Rust's grammar to know which names a file uses.

/// A name or path, and the line it stands in.
#[derive(Debug)]
pub(crate) struct Used {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
}

/// `text` with comments, literals and everything under `#[cfg(test)]` blanked out; lines stay
/// where they are.
pub(crate) fn code(text: &str) -> String {
    without_tests(&without_literals(text))
}

/// Whether the source at `at` begins with `pattern`.
fn begins(source: &[char], at: usize, pattern: &str) -> bool {
    pattern
        .chars()
        .enumerate()
        .all(|(n, c)| source.get(at + n) == Some(&c))
}

fn without_literals(text: &str) -> String {
    let source: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < source.len() {
        let end = if begins(&source, at, "//") {
            (at..source.len())
                .find(|n| source[*n] == '\n')
                .unwrap_or(source.len())
        } else if begins(&source, at, "/*") {
            comment_end(&source, at)
        } else if source[at] == '"' {
            string_end(&source, at + 1)
        } else if let Some(end) = raw_string_end(&source, at) {
            end
        } else if source[at] == '\'' {
            char_end(&source, at)
        } else {
            out.push(source[at]);
            at += 1;
            continue;
        };
        let blanked = source[at..end].iter();
        out.extend(blanked.map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

fn comment_end(source: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < source.len() {
        if begins(source, at, "/*") {
            depth += 1;
            at += 2;
        } else if begins(source, at, "*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    source.len()
}

fn string_end(source: &[char], mut at: usize) -> usize {
    while at < source.len() {
        match source[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    source.len()
}

/// The end of `r"…"` or `r#"…"#`, if one begins here and isn't the end of a name.
fn raw_string_end(source: &[char], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).and_then(|n| source.get(n));
    if source[at] != 'r' || before.is_some_and(|c| is_name(*c) && *c != 'b' && *c != 'c') {
        return None;
    }
    let hashes = source[at + 1..].iter().take_while(|c| **c == '#').count();
    if source.get(at + 1 + hashes) != Some(&'"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let end = (at + 2 + hashes..source.len()).find(|n| begins(source, *n, &close));
    Some(end.map_or(source.len(), |n| n + close.len()))
}

/// The end of a character literal; just past the quote where it is a lifetime.
fn char_end(source: &[char], at: usize) -> usize {
    if source.get(at + 1) == Some(&'\\') {
        let close = (at + 3..source.len()).find(|n| source[*n] == '\'');
        return close.map_or(source.len(), |n| n + 1);
    }
    if source.get(at + 2) == Some(&'\'') {
        at + 3
    } else {
        at + 1
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Blanks out the item that follows each `#[cfg(test)]`.
fn without_tests(text: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = item_end(from, MARK.len());
        let (item, after) = from.split_at(end);
        out.extend(item.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Where the item that begins at `start` ends: at its closing brace, or at a semicolon before
/// any brace.
fn item_end(text: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < start) {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Words after which a path may begin with `::`.
const KEYWORDS: &[&str] = &["as", "dyn", "impl", "in", "mut", "return", "use"];

#[derive(Debug, PartialEq)]
enum Token {
    Name(String),
    PathSeparator,
    Other(char),
}

fn tokens(code: &str) -> Vec<(usize, Token)> {
    let source: Vec<char> = code.chars().collect();
    let (mut all, mut at, mut line) = (Vec::new(), 0, 1);
    while at < source.len() {
        let c = source[at];
        if is_name(c) {
            let length = source[at..].iter().take_while(|c| is_name(**c)).count();
            let name = source[at..at + length].iter().collect();
            all.push((line, Token::Name(name)));
            at += length;
            continue;
        }
        if begins(&source, at, "::") {
            all.push((line, Token::PathSeparator));
            at += 2;
            continue;
        }
        if c == '\n' {
            line += 1;
        } else if !c.is_whitespace() {
            all.push((line, Token::Other(c)));
        }
        at += 1;
    }
    all
}

/// Every path and every single name in `code`, groups in braces written out.
pub(crate) fn used(code: &str) -> Vec<Used> {
    let tokens = tokens(code);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        at = path(&tokens, at, &[], &mut found);
    }
    found
}

/// Reads one path that goes on from `prefix`, or one other token; gives where to read on.
fn path(
    tokens: &[(usize, Token)],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Used>,
) -> usize {
    let mut path = prefix.to_vec();
    let line = tokens[at].0;
    if tokens[at].1 == Token::PathSeparator {
        at += 1;
    }
    while let Some((_, Token::Name(name))) = tokens.get(at) {
        path.push(name.clone());
        at += 1;
        if KEYWORDS.contains(&name.as_str()) {
            break;
        }
        if tokens.get(at).map(|(_, token)| token) != Some(&Token::PathSeparator) {
            break;
        }
        at += 1;
        if tokens.get(at).map(|(_, token)| token) == Some(&Token::Other('{')) {
            return group(tokens, at + 1, &path, found);
        }
    }
    if path.len() > prefix.len() {
        found.push(Used { line, path });
        at
    } else {
        at + 1
    }
}

/// Reads what stands between the braces of a `use`.
fn group(
    tokens: &[(usize, Token)],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Used>,
) -> usize {
    while let Some((_, token)) = tokens.get(at) {
        at = match token {
            Token::Other('}') => return at + 1,
            Token::Name(_) => path(tokens, at, prefix, found),
            _ => at + 1,
        };
    }
    at
}
