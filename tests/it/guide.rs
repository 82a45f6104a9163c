//! The guide's examples: what it shows as valid is valid, what it shows as wrong is refused with
//! the words it says.
//!
//! A block after `<!-- check -->` is a whole configuration; one after `<!-- wrong: SUMMARY -->`
//! must fail with that summary.

use std::path::PathBuf;

use crate::support::workspace::Workspace;

/// What a block of the guide is to give.
enum Expected {
    Valid,
    Wrong(String),
}

struct Example {
    line: usize,
    text: String,
    expected: Expected,
}

fn expected(comment: &str) -> Option<Expected> {
    let inside = comment
        .trim()
        .strip_prefix("<!--")?
        .strip_suffix("-->")?
        .trim();
    if inside == "check" {
        return Some(Expected::Valid);
    }
    let summary = inside.strip_prefix("wrong:")?;
    Some(Expected::Wrong(summary.trim().to_owned()))
}

/// Every marked block, with the line it begins at.
fn examples(text: &str) -> Vec<Example> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        let Some(expected) = expected(line) else {
            continue;
        };
        let (number, fence) = lines.next().unwrap();
        assert_eq!(
            fence, "```hcl",
            "line {number}: a marked block begins at once"
        );
        let mut body = String::new();
        for (_, line) in lines.by_ref().take_while(|(_, line)| *line != "```") {
            body.push_str(line);
            body.push('\n');
        }
        found.push(Example {
            line: number + 1,
            text: body,
            expected,
        });
    }
    found
}

#[test]
fn the_examples_of_the_guide_are_what_it_says() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/guide.md");
    let examples = examples(&std::fs::read_to_string(path).unwrap());
    let wrong = |example: &&Example| matches!(example.expected, Expected::Wrong(_));
    assert!(examples.iter().filter(wrong).count() >= 5);
    assert!(examples.len() >= 15, "{}", examples.len());
    for example in examples {
        let workspace = Workspace::new(&example.text);
        let output = workspace.remit(&["validate"]);
        let said = format!("{}{}", output.stdout, output.stderr);
        match example.expected {
            Expected::Valid => {
                assert_eq!(
                    output.code,
                    Some(0),
                    "docs/guide.md:{}\n{said}",
                    example.line
                );
            }
            Expected::Wrong(summary) => {
                assert_eq!(
                    output.code,
                    Some(1),
                    "docs/guide.md:{}\n{said}",
                    example.line
                );
                assert!(
                    said.contains(&summary),
                    "docs/guide.md:{}: `{summary}` is not in\n{said}",
                    example.line
                );
            }
        }
    }
}
