//! Mistakes in the writing, and texts made to break a parser.

use std::path::Path;
use std::time::{Duration, Instant};

use remit_sdk::{Diagnostic, FileId};

use super::*;
use crate::diagnostic::SourceMap;

/// Each takes below 100 ms when optimised. Tests aren't, and share the machine; what isn't
/// linear takes minutes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is found wrong: the summary, and the text that is underlined.
fn mistakes(text: &str) -> Vec<(String, String)> {
    let mut sources = SourceMap::default();
    let file = sources.add("a.remit.hcl".into(), text.into());
    let found = parse(text, file).err().unwrap_or_default();
    found
        .into_iter()
        .map(|one| {
            let underlined = one.span.map(|span| sources.text(span).to_owned());
            (
                format!("{}: {}", one.summary, one.detail),
                underlined.unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn mistakes_are_named_and_underlined() {
    for (text, summary, underlined) in [
        (
            "a {\n  b = 1\n",
            "bracket is not closed: the `{` that opens here has no `}`",
            "{",
        ),
        (
            "a {\n  b = [1, 2\n}\n",
            "bracket is not closed: the `[` that opens here has no `]`",
            "[",
        ),
        (
            "a = 1\n}\n",
            "bracket closes nothing: nothing is open here that `}` would close",
            "}",
        ),
        (
            "a {\n  b 1\n}\n",
            "syntax error: `=` is missing after `b`",
            "1",
        ),
        (
            "a {\n  b: 1\n}\n",
            "syntax error: `=` is missing after `b`",
            ":",
        ),
        (
            "a {\n  b = \n}\n",
            "value is missing: a value is expected after `=`",
            "",
        ),
        (
            "a = f(1, )\nb = [1,,2]\n",
            "value is missing: a value is expected after `,`",
            ",",
        ),
        ("a = [1 2]\n", "syntax error: `2` can't follow here", "2"),
        (
            "a = { c = 1, d }\n",
            "value is missing: this key of an object has no value",
            "d",
        ),
        (
            "a = 'x'\n",
            "syntax error: a string can't begin with a single quote",
            "'",
        ),
        (
            "a = \"x\nb = 1\n",
            "string is not closed: the string that begins here doesn't end on its line",
            "\"x",
        ),
        (
            "a = \"${b\"\n",
            "string is not closed: the string that begins here doesn't end on its line",
            "\"${b\"",
        ),
        ("a = \"\\q\"\n", "syntax error: `\\q` is no escape", "\\q"),
        ("a = \"\\u12\"\n", "syntax error: `\\u` is no escape", "\\u"),
        (
            "a {\n  b = 1\n  b = 2\n}\n",
            "attribute given twice: `b` has a value already",
            "b",
        ),
        (
            "a = 1\na = 2\n",
            "attribute given twice: `a` has a value already",
            "a",
        ),
        (
            "a = { b = 1, b = 2 }\n",
            "key given twice: this key stands in the object twice",
            "b",
        ),
        (
            "a { b = 1, c = 2 }\n",
            "syntax error: the line should end before `,`",
            ",",
        ),
        (
            "a {\n  b = 1 }\n",
            "syntax error: the line should end before `}`",
            "}",
        ),
        (
            "a \"x\"\n{\n}\n",
            "syntax error: a block's `{` is missing",
            "",
        ),
        (
            "a = 1;\n",
            "syntax error: the line should end before `;`",
            ";",
        ),
        (
            "a = <<EOT\nfoo\n  EOTX\n",
            "heredoc is not closed: no line holds only `EOT`",
            "<<EOT",
        ),
        ("a = b ? c\n", "syntax error: `:` is missing", ""),
        ("a = [for x in y]\n", "syntax error: `:` is missing", "]"),
        (
            "a = {for x in y : x}\n",
            "syntax error: `=>` is missing",
            "}",
        ),
        (
            "a = x.\n",
            "syntax error: the reference ends with a dot",
            ".",
        ),
        (
            "a = \"%{ if x }y\"\n",
            "syntax error: a directive in this template is not complete",
            "\"%{ if x }y\"",
        ),
        (
            "1a = 2\n",
            "syntax error: a name begins with a letter or `_`, without quotes",
            "1",
        ),
        ("a = ${b}\n", "syntax error: no value begins with `$`", "$"),
        (
            "a = \"b\" \"c\"\n",
            "syntax error: the line should end before `\"c\"`",
            "\"c\"",
        ),
        (
            "if (x) { }\n",
            "syntax error: `=` is missing after `if`",
            "(",
        ),
        (
            "a = 99999999999999999999\n",
            "number out of range: this number can't be kept exactly",
            "99999999999999999999",
        ),
        (
            "a = f::g(1)\n",
            "unknown function: functions have plain names here: there are no namespaces",
            "g",
        ),
        (
            "/* a\n",
            "syntax error: the comment that begins here never ends",
            "/*",
        ),
        (
            "/*/\n",
            "syntax error: the comment that begins here never ends",
            "/*",
        ),
        (
            "\u{feff}a {\n  é 1\n}\n",
            "syntax error: `=` is missing after `é`",
            "1",
        ),
    ] {
        assert_eq!(
            mistakes(text),
            [(summary.to_owned(), underlined.to_owned())],
            "{text:?}"
        );
    }
}

#[test]
fn every_item_that_is_wrong_is_reported() {
    let found = mistakes("a {\n  b 1\n}\n\nc = 1\n\nd {\n  e = [1 2]\n}\nf = 'x'\n");
    let underlined: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(underlined, ["1", "2", "'"]);
    assert_eq!(mistakes(&"x y z\n".repeat(10_000)).len(), 50);
}

/// What stands where a stack overflow would abort the process: the main thread of a test has
/// 2 MiB, and dropping what was parsed recurses too.
fn on_a_small_stack(text: String) -> (Duration, Option<Vec<Diagnostic>>) {
    let work = move || {
        let start = Instant::now();
        let found = parse(&text, FileId(0)).err();
        (start.elapsed(), found)
    };
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    thread.spawn(work).unwrap().join().unwrap()
}

#[test]
fn bombs_are_diagnostics_and_quick() {
    const MANY: usize = 1_000_000;
    for (piece, end) in [
        ("(", ""),
        ("[", ""),
        ("{", ""),
        ("{ a = ", ""),
        ("\"${", ""),
        ("\"%{ if ", ""),
        ("!", "x"),
        ("- ", "x"),
        ("-", "1"),
        ("a ? b : ", "c"),
        ("a ? ", "c"),
        ("x.", "y"),
        ("x[0].", "y"),
        ("x[", "0"),
        ("1+", "1"),
        ("a && ", "a"),
        ("f(", ""),
        ("[for a in ", ""),
        ("{for a, b in ", ""),
        ("<<A\n${", ""),
        ("a {\n", ""),
        ("(\n", ""),
        ("\"", ""),
    ] {
        let text = format!("x = {}{end}\n", piece.repeat(MANY));
        let (took, found) = on_a_small_stack(text);
        let found = found.unwrap_or_default();
        assert!(!found.is_empty(), "{piece:?} is accepted");
        assert!(found.iter().all(|one| one.span.is_some()), "{piece:?}");
        assert!(took < PATIENCE, "{piece:?} took {took:?}");
    }
    let (_, found) = on_a_small_stack(format!("{}{}", "a {\n".repeat(MANY), "}\n".repeat(MANY)));
    assert!(found.is_some());
}

/// As deep as it is allowed: parsed, lowered and dropped on a small stack.
#[test]
fn what_is_allowed_fits_the_stack() {
    let deep = limits::NESTING_MAX - 2;
    let operators = 128 / deep;
    assert_eq!(
        operators, 2,
        "hcl-edit allows 128 operators on the way down"
    );
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{ a = ", "1", " }"),
        ("f(", "1", ")"),
        ("x[", "1", "]"),
        ("[for a in x : ", "1", "]"),
        ("(1 + 2 * ", "3", ")"),
    ] {
        let text = format!("x = {}{middle}{}\n", open.repeat(deep), close.repeat(deep));
        let (took, found) = on_a_small_stack(text);
        assert_eq!(found, None, "{open}");
        assert!(took < PATIENCE, "{open:?} took {took:?}");
    }
    let conditionals = "(a ? b : ".repeat(deep / 2) + "c" + &")".repeat(deep / 2);
    assert_eq!(on_a_small_stack(format!("x = {conditionals}\n")).1, None);
    let products = vec!["a.b"; 120].join(" * ");
    assert_eq!(on_a_small_stack(format!("x = {products}\n")).1, None);
    let quotes = format!(
        "x = {}1{}\n",
        "\"${".repeat(deep / 2),
        "}\"".repeat(deep / 2)
    );
    assert_eq!(on_a_small_stack(quotes).1, None);
    let long = format!("x = y{}\n", ".z".repeat(limits::STEPS_MAX));
    assert_eq!(on_a_small_stack(long).1, None);
}

fn directory(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

fn summaries(root: &Path) -> Vec<String> {
    let found = load(root, &mut SourceMap::default())
        .err()
        .unwrap_or_default();
    found
        .into_iter()
        .map(|one| format!("{}: {}", one.summary, one.detail))
        .collect()
}

#[test]
fn a_directory_is_read_in_name_order_with_all_its_mistakes() {
    let good = directory(&[
        ("b.remit.hcl", b"b {}\n"),
        ("a.remit.hcl", b"a {}\r\n"),
        ("c.tf", b"nonsense"),
        ("v.auto.remitvars.hcl", b"x = 1\n"),
    ]);
    let mut sources = SourceMap::default();
    let loaded = load(good.path(), &mut sources).unwrap();
    let kinds: Vec<&str> = loaded
        .blocks
        .iter()
        .map(|block| block.kind.value.as_str())
        .collect();
    assert_eq!(kinds, ["a", "b"]);
    let bad = directory(&[
        ("a.remit.hcl", b"x = 1\n"),
        ("b.remit.hcl", b"y {\n"),
        ("c.remit.hcl", b"z = \"\xff\"\n"),
    ]);
    let found = summaries(bad.path());
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn only_plain_files_below_the_root_are_read() {
    use std::os::unix::fs::symlink;
    let outside = directory(&[("secret", b"a {}\n")]);
    let root = directory(&[("real.remit.hcl", b"a {}\n")]);
    symlink("real.remit.hcl", root.path().join("inside.remit.hcl")).unwrap();
    assert_eq!(summaries(root.path()), Vec::<String>::new());
    symlink(
        outside.path().join("secret"),
        root.path().join("out.remit.hcl"),
    )
    .unwrap();
    let fifo = root.path().join("pipe.remit.hcl");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    std::fs::create_dir(root.path().join("folder.remit.hcl")).unwrap();
    let found = summaries(root.path());
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found
            .iter()
            .all(|one| one.starts_with("file can't be read")),
        "{found:?}"
    );
}

#[test]
fn a_large_sparse_file_is_refused_unread() {
    let root = directory(&[("a.remit.hcl", b"")]);
    let file = std::fs::File::options()
        .write(true)
        .open(root.path().join("a.remit.hcl"));
    file.unwrap().set_len(20 * 1024 * 1024 * 1024).unwrap();
    assert!(summaries(root.path())[0].starts_with("file too large"));
}

#[test]
fn a_file_of_variables_may_be_a_link_and_holds_no_blocks() {
    let outside = directory(&[
        ("real.remitvars.hcl", b"x = 1\n"),
        ("bad.remitvars.hcl", b"x {}\n"),
    ]);
    let link = directory(&[]);
    let path = link.path().join("x.remitvars.hcl");
    std::os::unix::fs::symlink(outside.path().join("real.remitvars.hcl"), &path).unwrap();
    let loaded = load_variables(&path, &mut SourceMap::default()).unwrap();
    assert_eq!(loaded.attributes.len(), 1);
    let bad = outside.path().join("bad.remitvars.hcl");
    assert!(load_variables(&bad, &mut SourceMap::default()).is_err());
}
