//! What people and machines see. The underlined text is read back from the drawing itself.

use std::sync::Arc;

use proptest::prelude::*;
use remit_sdk::{Address, DeclarationAddress, FileId, Span};

use super::*;

const AGENTS: &str = r#"agent "invoice_triage" {
  owner   = owner.payments
  purpose = "reads invoices"
}

identity "invoice_triage" {
  for_each    = { prod = environment.prod }
  agent       = agent.invoice_triage
  environment = environment.prodd
	domain = "billing"   # a tab before it
}
"#;

const OWNERS: &str = "owner \"payments\" {\n  contact = \"p@example.com\"\n}\n";

fn sources() -> SourceMap {
    let mut sources = SourceMap::default();
    sources.add("agents.remit.hcl".into(), Arc::from(AGENTS));
    sources.add("owners.remit.hcl".into(), Arc::from(OWNERS));
    sources
}

/// The span of the `nth` occurrence of `needle`.
fn span(sources: &SourceMap, file: u32, needle: &str, nth: usize) -> Span {
    let text = &sources.get(FileId(file)).unwrap().text;
    let (start, _) = text.match_indices(needle).nth(nth).unwrap();
    Span::new(
        FileId(file),
        u32::try_from(start).unwrap(),
        u32::try_from(start + needle.len()).unwrap(),
    )
}

fn draw(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    render(diagnostics, sources, &RenderOptions::default())
}

fn underlined(drawing: &str) -> Vec<String> {
    let lines: Vec<&str> = drawing.lines().collect();
    lines
        .windows(2)
        .filter(|pair| pair[1].contains(" · ") && pair[0].contains(" │ "))
        .map(|pair| {
            let marks = pair[1].chars().enumerate();
            let at: Vec<usize> = marks
                .filter(|(_, c)| "─┬▲".contains(*c))
                .map(|(index, _)| index)
                .collect();
            let line: Vec<char> = pair[0].chars().collect();
            at.iter().filter_map(|index| line.get(*index)).collect()
        })
        .collect()
}

#[test]
fn a_mistake_is_underlined_with_its_place_and_its_help() {
    let sources = sources();
    let mistake = Diagnostic::error(
        "unknown reference",
        "no environment is named `prodd`; the environments are `prod` and `staging`",
    )
    .help("did you mean `environment.prod`?")
    .at(span(&sources, 0, "environment.prodd", 0));
    let drawing = draw(&[mistake], &sources);
    assert_eq!(
        drawing,
        "  error: unknown reference
  ╰─▶ no environment is named `prodd`; the environments are `prod` and
      `staging`
    ╭─[agents.remit.hcl:9:17]
  8 │   agent       = agent.invoice_triage
  9 │   environment = environment.prodd
    ·                 ─────────────────
 10 │     domain = \"billing\"   # a tab before it
    ╰────
  help: did you mean `environment.prod`?
"
    );
    assert_eq!(underlined(&drawing), ["environment.prodd"]);
}

#[test]
fn other_places_are_labelled_and_those_in_other_files_follow() {
    let sources = sources();
    let mistake = Diagnostic::error("name declared twice", "two declarations are named `x`")
        .at(span(&sources, 0, "identity \"invoice_triage\"", 0))
        .label(
            span(&sources, 0, "agent.invoice_triage", 0),
            "this is an agent",
        )
        .label(span(&sources, 0, "invoice_triage", 0), "far above")
        .label(
            span(&sources, 1, "owner \"payments\"", 0),
            "first declared here",
        )
        .about(Address::Declaration(DeclarationAddress::new(
            "identity",
            "invoice_triage",
        )));
    assert_eq!(
        draw(&[mistake], &sources),
        "  error: name declared twice
  ├─▶ identity.invoice_triage
  ╰─▶ two declarations are named `x`
   ╭─[agents.remit.hcl:6:1]
 5 │
 6 │ identity \"invoice_triage\" {
   · ─────────────────────────
 7 │   for_each    = { prod = environment.prod }
 8 │   agent       = agent.invoice_triage
   ·                 ──────────┬─────────
   ·                           ╰── this is an agent
 9 │   environment = environment.prodd
   ╰────
  note: far above
   ╭─[agents.remit.hcl:1:8]
 1 │ agent \"invoice_triage\" {
   ·        ──────────────
 2 │   owner   = owner.payments
   ╰────
  note: first declared here
   ╭─[owners.remit.hcl:1:1]
 1 │ owner \"payments\" {
   · ────────────────
 2 │   contact = \"p@example.com\"
   ╰────
"
    );
}

#[test]
fn without_a_place_the_text_stands_alone_and_ascii_is_plain() {
    let options = RenderOptions {
        unicode: false,
        ..RenderOptions::default()
    };
    let mistake =
        Diagnostic::error("no configuration", "x".repeat(3) + " is missing").help("write one");
    let drawing = render(&[mistake], &SourceMap::default(), &options);
    assert_eq!(
        drawing,
        "  error: no configuration\n  `-> xxx is missing\n  help: write one\n"
    );
    let sources = sources();
    let mistake = Diagnostic::warning("w", "").at(span(&sources, 0, "owner", 0));
    let drawing = render(&[mistake], &sources, &options);
    assert!(drawing.is_ascii(), "{drawing}");
}

#[test]
fn warnings_come_first_and_errors_in_the_order_of_the_source() {
    let sources = sources();
    let at =
        |needle, summary: &str| Diagnostic::error(summary, "").at(span(&sources, 0, needle, 0));
    let all = [
        Diagnostic::error("placeless", ""),
        at("domain", "second"),
        at("agent", "first"),
        Diagnostic::warning("warned", ""),
    ];
    let drawing = draw(&all, &sources);
    let order: Vec<&str> = drawing
        .lines()
        .filter_map(|line| line.split_once("error: ").or(line.split_once("warning: ")))
        .map(|(_, summary)| summary)
        .collect();
    assert_eq!(order, ["warned", "first", "second", "placeless"]);
}

#[test]
fn a_flood_is_cut_and_counted() {
    let mut all = vec![Diagnostic::warning("w", ""); 3];
    all.extend(vec![Diagnostic::error("e", ""); SHOWN_MAX + 7]);
    let drawing = draw(&all, &SourceMap::default());
    assert_eq!(drawing.matches("error: e").count(), SHOWN_MAX);
    assert!(
        drawing.ends_with("  and 7 more errors and 3 more warnings\n"),
        "{drawing}"
    );
}

#[test]
fn hostile_text_is_escaped() {
    let mut sources = SourceMap::default();
    let text = "a = \"x\u{202e}y\u{1b}[31m\"\r\nb = 1\n";
    sources.add("a\u{1b}.hcl".into(), Arc::from(text));
    let span = span(&sources, 0, "\u{202e}", 0);
    let mistake = Diagnostic::error("invisible character", "\u{1b}[2J")
        .help("\u{9b}")
        .at(span);
    let drawing = draw(&[mistake], &sources);
    assert!(
        !drawing
            .chars()
            .any(|c| c != '\n' && remit_sdk::text::is_unsafe(c)),
        "{drawing}"
    );
    assert_eq!(underlined(&drawing), ["\\u{202e}"]);
}

#[test]
fn long_lines_are_cut_around_what_is_wrong() {
    let mut sources = SourceMap::default();
    let text = format!(
        "a = [{}\"wrong\", {}]\n",
        "\"right\", ".repeat(5_000),
        "1, ".repeat(5_000)
    );
    sources.add("long.hcl".into(), text.into());
    let mistake = Diagnostic::error("wrong value", "").at(span(&sources, 0, "\"wrong\"", 0));
    let drawing = draw(&[mistake], &sources);
    assert!(
        drawing.lines().all(|line| line.chars().count() <= 80),
        "{drawing}"
    );
    assert!(drawing.contains("[long.hcl:1:45006]"), "{drawing}");
    assert_eq!(underlined(&drawing), ["\"wrong\""]);
}

#[test]
fn the_end_of_a_file_and_many_lines_can_be_marked() {
    let mut sources = SourceMap::default();
    sources.add("a.hcl".into(), Arc::from("a {\n  b = [\n    1,\n  ]\n"));
    let end = Span::new(FileId(0), 22, 22);
    assert!(draw(&[Diagnostic::error("e", "").at(end)], &sources).contains("▲"));
    let many = span(&sources, 0, "[\n    1,\n  ]", 0);
    assert_eq!(
        underlined(&draw(&[Diagnostic::error("e", "").at(many)], &sources)),
        ["["]
    );
}

#[test]
fn colour_is_only_there_when_asked_for() {
    let sources = sources();
    let mistake = Diagnostic::error("e", "d").at(span(&sources, 0, "owner", 0));
    let options = RenderOptions {
        color: true,
        ..RenderOptions::default()
    };
    assert!(render(std::slice::from_ref(&mistake), &sources, &options).contains("\u{1b}["));
    assert!(!draw(&[mistake], &sources).contains('\u{1b}'));
}

#[test]
fn json_has_the_shape_of_terraforms() {
    let sources = sources();
    let mistake = Diagnostic::error("unknown reference", "no environment is named `prodd`")
        .help("did you mean `environment.prod`?")
        .at(span(&sources, 0, "environment.prodd", 0))
        .label(span(&sources, 1, "owner", 0), "here")
        .about(Address::Declaration(DeclarationAddress::new(
            "identity",
            "invoice_triage",
        )));
    assert_eq!(
        to_json(&mistake, &sources),
        serde_json::json!({
            "severity": "error",
            "summary": "unknown reference",
            "detail": "no environment is named `prodd`",
            "address": "identity.invoice_triage",
            "range": {
                "filename": "agents.remit.hcl",
                "start": {"line": 9, "column": 17, "byte": 209},
                "end": {"line": 9, "column": 34, "byte": 226},
            },
            "snippet": {
                "context": "identity \"invoice_triage\"",
                "code": "  environment = environment.prodd",
                "start_line": 9,
                "highlight_start_offset": 16,
                "highlight_end_offset": 33,
                "values": [],
            },
            "help": "did you mean `environment.prod`?",
            "labels": [{
                "text": "here",
                "range": {
                    "filename": "owners.remit.hcl",
                    "start": {"line": 1, "column": 1, "byte": 0},
                    "end": {"line": 1, "column": 6, "byte": 5},
                },
            }],
        })
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Spans that don't fit, texts of all sorts: something is drawn, nothing is panicked.
    #[test]
    fn any_span_in_any_text_is_drawn(
        text in "[ -~\\n\\r\\té\u{202e}好]{0,200}",
        spans in prop::collection::vec((0_u32..220, 0_u32..220), 1..5),
        width in 0_usize..120,
    ) {
        let mut sources = SourceMap::default();
        let file = sources.add("x.hcl".into(), text.into());
        let mut mistake = Diagnostic::error("some mistake", "some detail");
        for (index, (start, end)) in spans.into_iter().enumerate() {
            let span = Span::new(file, start, end);
            mistake = if index == 0 { mistake.at(span) } else { mistake.label(span, "why") };
        }
        let options = RenderOptions { width, ..RenderOptions::default() };
        let drawing = render(std::slice::from_ref(&mistake), &sources, &options);
        prop_assert!(drawing.contains("error: some mistake"));
        prop_assert!(drawing.contains("x.hcl:"));
        to_json(&mistake, &sources);
    }
}
