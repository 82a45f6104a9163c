//! How deep a policy's brackets are nested. PURE.
//!
//! The parser tries a bracket as several things in turn, each time with all that is in it, so that
//! each level doubles what it takes. What would take it for ever is refused before.

use super::{Fault, PolicyFile};

/// The deepest nesting that is read.
const DEPTH_MAX: u32 = 16;

/// What all brackets of a file may cost, of which one at depth n costs 2^n: some seconds. A large
/// policy's come to a hundredth.
const COST_MAX: u64 = 1 << 19;

/// Why a policy is not parsed, if it is nested too deep.
pub(super) fn too_deep(policy: &PolicyFile) -> Option<Fault> {
    let (mut depth, mut cost) = (0_u32, 0_u64);
    let (mut line, mut column) = (1, 0);
    let mut within = Within::Code;
    let mut is_escaped = false;
    for byte in policy.text.bytes() {
        column += 1;
        match (&within, byte) {
            (_, b'\n') => {
                (line, column) = (line + 1, 0);
                // A text in double quotes ends with its line, if only by a mistake.
                if !matches!(within, Within::Raw) {
                    within = Within::Code;
                }
                is_escaped = false;
            }
            (Within::Text, _) if is_escaped => is_escaped = false,
            (Within::Text, b'\\') => is_escaped = true,
            (Within::Text, b'"') | (Within::Raw, b'`') => within = Within::Code,
            (Within::Code, b'"') => within = Within::Text,
            (Within::Code, b'`') => within = Within::Raw,
            (Within::Code, b'#') => within = Within::Comment,
            (Within::Code, b'[' | b'{' | b'(') => {
                depth += 1;
                cost = cost.saturating_add(1_u64.checked_shl(depth).unwrap_or(u64::MAX));
                if depth > DEPTH_MAX || cost > COST_MAX {
                    let what = if depth > DEPTH_MAX {
                        format!(
                            "brackets are nested {depth} deep here, and {DEPTH_MAX} is the most"
                        )
                    } else {
                        "there are too many nested brackets up to here".to_owned()
                    };
                    let fault = Fault::new("policy nested too deep", what);
                    let fault = fault.help("name the inner parts, or split the file");
                    return Some(fault.at(&policy.path, line, column));
                }
            }
            (Within::Code, b']' | b'}' | b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// What a byte stands in.
enum Within {
    Code,
    Text,
    Raw,
    Comment,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<Fault> {
        too_deep(&PolicyFile {
            path: "p.rego".into(),
            text: text.into(),
        })
    }

    #[test]
    fn depth_is_counted_in_code_alone() {
        let nested = |open: &str, depth: usize| format!("a\nx := {}", open.repeat(depth));
        for open in ["[", "{", "("] {
            assert_eq!(fault(&nested(open, 16)), None, "{open}");
            let refused = fault(&nested(open, 17)).unwrap();
            let detail = refused.detail;
            assert!(detail.contains("nested 17 deep"), "{detail}");
            assert_eq!(refused.place, Some(("p.rego".into(), 2, 22)), "{open}");
        }
        let deep = "[".repeat(40);
        for text in [
            format!("\"{deep}\""),
            format!("\"\\\"{deep}\""),
            format!("`\n{deep}`"),
            format!("# {deep}"),
            "[]".repeat(40),
        ] {
            assert_eq!(fault(&text), None, "{text}");
        }
        for text in [
            format!("\"\\\\\"{deep}"),
            format!("# c\n{deep}"),
            format!("\"open\n{deep}"),
            format!("`raw`{deep}"),
        ] {
            assert!(fault(&text).is_some(), "{text}");
        }
    }

    #[test]
    fn many_that_are_nested_are_too_much() {
        let one = format!("{}{}\n", "[".repeat(12), "]".repeat(12));
        assert_eq!(fault(&one.repeat(60)), None);
        let detail = fault(&one.repeat(70)).unwrap().detail;
        assert!(detail.contains("too many"), "{detail}");
        // What is flat may be long.
        assert_eq!(fault(&"f(x)\n".repeat(100_000)), None);
    }
}
