//! Patterns for names of files, as `fileset` takes them.
//!
//! `*` is any text without `/`, `?` one character but `/`, `[a-z]` and `[^a-z]` one of a class,
//! `{a,b}` one of several texts, `**` any number of directories. `\` takes the next character
//! for itself. A name that begins with a dot is like any other.

/// Patterns that `{…}` may expand to: enough for every ending in use.
const ALTERNATIVES_MAX: usize = 64;

/// A pattern, its alternatives apart.
pub(super) struct Glob {
    alternatives: Vec<Vec<Segment>>,
}

enum Segment {
    /// `**`.
    Deep,
    /// The pattern of one name.
    Name(Vec<Token>),
}

enum Token {
    Any,
    One,
    Literal(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Glob {
    /// Reads a pattern; what is wrong with it otherwise.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        let mut todo = vec![pattern.to_owned()];
        let mut alternatives = Vec::new();
        while let Some(pattern) = todo.pop() {
            if todo.len() + alternatives.len() >= ALTERNATIVES_MAX {
                return Err(format!(
                    "its braces make more than {ALTERNATIVES_MAX} patterns"
                ));
            }
            match expand(&pattern)? {
                Some(more) => todo.extend(more),
                None => alternatives.push(segments(&pattern)?),
            }
        }
        Ok(Self { alternatives })
    }

    /// How many directories deep a match may lie; `None` for any depth.
    pub(super) fn depth(&self) -> Option<usize> {
        let depth = |segments: &Vec<Segment>| {
            let deep = segments.iter().any(|one| matches!(one, Segment::Deep));
            (!deep).then_some(segments.len())
        };
        let depths: Option<Vec<usize>> = self.alternatives.iter().map(depth).collect();
        depths?.into_iter().max()
    }

    /// Whether the pattern matches a path, given by its names.
    pub(super) fn matches(&self, path: &[String]) -> bool {
        self.alternatives
            .iter()
            .any(|segments| matches_path(segments, path))
    }
}

/// The pattern once for each text of its first `{…}`; `None` where it has none.
fn expand(pattern: &str) -> Result<Option<Vec<String>>, String> {
    let mut chars = pattern.char_indices();
    let mut start = None;
    let mut depth = 0_usize;
    let mut cuts = Vec::new();
    let mut class = false;
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => class = true,
            ']' => class = false,
            _ if class => {}
            '{' => {
                start.get_or_insert(at);
                depth += 1;
            }
            ',' if depth == 1 => cuts.push(at),
            '}' if depth == 1 => {
                let (Some(start), Some(before), Some(after)) = (
                    start,
                    start.and_then(|start| pattern.get(..start)),
                    pattern.get(at + 1..),
                ) else {
                    return Ok(None);
                };
                cuts.push(at);
                let mut from = start + 1;
                let mut all = Vec::new();
                for cut in cuts {
                    let text = pattern.get(from..cut).unwrap_or_default();
                    all.push(format!("{before}{text}{after}"));
                    from = cut + 1;
                }
                if all.len() > ALTERNATIVES_MAX {
                    return Err(format!(
                        "its braces make more than {ALTERNATIVES_MAX} patterns"
                    ));
                }
                return Ok(Some(all));
            }
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if depth > 0 {
        return Err("its `{` is never closed".into());
    }
    Ok(None)
}

fn segments(pattern: &str) -> Result<Vec<Segment>, String> {
    pattern
        .split('/')
        .filter(|segment| !segment.is_empty() && *segment != ".")
        .map(|segment| match segment {
            "**" => Ok(Segment::Deep),
            ".." => Err("it leads up with `..`".to_owned()),
            name => tokens(name).map(Segment::Name),
        })
        .collect()
}

fn tokens(name: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Literal(chars.next().ok_or("it ends with `\\`")?),
            '[' => class(&mut chars)?,
            c => Token::Literal(c),
        });
    }
    Ok(out)
}

/// Reads a class behind its `[`.
fn class(chars: &mut std::str::Chars<'_>) -> Result<Token, String> {
    const OPEN: &str = "its `[` is never closed";
    let mut c = chars.next().ok_or(OPEN)?;
    let negated = c == '^' || c == '!';
    if negated {
        c = chars.next().ok_or(OPEN)?;
    }
    let mut ranges = Vec::new();
    while c != ']' {
        if c == '\\' {
            c = chars.next().ok_or(OPEN)?;
        }
        let first = c;
        let mut last = c;
        c = chars.next().ok_or(OPEN)?;
        if c == '-' {
            last = chars.next().ok_or(OPEN)?;
            if last == '\\' {
                last = chars.next().ok_or(OPEN)?;
            }
            if last < first {
                return Err(format!("`{first}-{last}` is no range"));
            }
            c = chars.next().ok_or(OPEN)?;
        }
        ranges.push((first, last));
    }
    if ranges.is_empty() {
        return Err("its `[]` matches nothing".into());
    }
    Ok(Token::Class { negated, ranges })
}

/// Which of the pattern's beginnings match, for a path that grows name by name.
fn matches_path(segments: &[Segment], path: &[String]) -> bool {
    // `reached[i]`: the first i segments match the names so far.
    let mut reached = vec![true];
    for segment in segments {
        let before = reached.last() == Some(&true);
        reached.push(before && matches!(segment, Segment::Deep));
    }
    for name in path {
        let mut next = vec![false];
        for (segment, pair) in segments.iter().zip(reached.windows(2)) {
            let &[before, here] = pair else { continue };
            next.push(match segment {
                // It begins here with no names, or goes on with one more.
                Segment::Deep => here || before || next.last() == Some(&true),
                Segment::Name(tokens) => before && matches_name(tokens, name),
            });
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

/// Goes back to the last `*` only, so time is at most pattern times name.
fn matches_name(tokens: &[Token], name: &str) -> bool {
    let (mut tokens, mut name) = (tokens, name.chars());
    let mut retry = None;
    loop {
        if let [Token::Any, rest @ ..] = tokens {
            retry = Some((rest, name.clone()));
            tokens = rest;
            continue;
        }
        let mut after = name.clone();
        let advanced = match (tokens, after.next()) {
            ([], None) => return true,
            ([token, rest @ ..], Some(c)) if token.accepts(c) => Some(rest),
            _ => None,
        };
        if let Some(rest) = advanced {
            (tokens, name) = (rest, after);
            continue;
        }
        let Some((from, start)) = &mut retry else {
            return false;
        };
        if start.next().is_none() {
            return false;
        }
        (tokens, name) = (*from, start.clone());
    }
}

impl Token {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Literal(literal) => *literal == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(a, b)| (*a..=*b).contains(&c)) != *negated
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, wanted) in [
            ("*.json", "a.json", true),
            ("*.json", "a/b.json", false),
            ("*.json", ".json", true),
            ("**", "a/b/c", true),
            ("**/*.json", "b.json", true),
            ("**/*.json", "a/b/c.json", true),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("a/**/z", "b/z", false),
            ("a/**", "a/b", true),
            ("*a*b*c", "xaxbxbxc", true),
            ("*a*b*c", "xaxbxbx", false),
            ("?.txt", "é.txt", true),
            ("[a-c]?", "b1", true),
            ("[^a-c]?", "b1", false),
            ("x.{json,y{a,}ml}", "x.json", true),
            ("x.{json,y{a,}ml}", "x.yaml", true),
            ("x.{json,y{a,}ml}", "x.yml", true),
            ("x.{json,y{a,}ml}", "x.toml", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
        ] {
            let names: Vec<String> = path.split('/').map(str::to_owned).collect();
            let glob = Glob::parse(pattern).unwrap();
            assert_eq!(glob.matches(&names), wanted, "{pattern} {path}");
        }
    }

    #[test]
    fn mistakes() {
        let many = "{a,b}".repeat(30);
        for pattern in ["{a", "[a", "[b-a]", "[]", "../x", "a\\", &many] {
            assert!(Glob::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn depths() {
        let depth = |pattern| Glob::parse(pattern).unwrap().depth();
        assert_eq!(depth("*.json"), Some(1));
        assert_eq!(depth("{a/b/*,c}"), Some(3));
        assert_eq!(depth("a/**"), None);
    }
}
