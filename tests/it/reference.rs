//! The reference pages: those of kinds, of rules and of the command line are generated, and must be what the
//! program says now; the page of the language must name every function.
//!
//! `REMIT_UPDATE=1` in the environment rewrites the generated ones.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use remit::evaluate::functions;
use remit::rules::{BASE, rules};

use crate::support::workspace::Workspace;

const CLI_HEAD: &str = "# The command line\n\n\
    Generated from each command's `--help`. [The guide](../guide.md) shows the commands at work.\n";

fn reference() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/reference")
}

fn is_update() -> bool {
    std::env::var_os("REMIT_UPDATE").is_some_and(|value| value == "1")
}

/// Compares a page with what it should be, or writes it.
fn check(name: &str, text: &str) {
    let path = reference().join(name);
    if is_update() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == text,
        "docs/reference/{name} is not what the program says; REMIT_UPDATE=1 rewrites it"
    );
}

/// The names of the commands that a help lists, without `help` itself.
fn commands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn help(workspace: &Workspace, command: &[String]) -> String {
    let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
    arguments.push("--help");
    let text = workspace.expect(0, &arguments).stdout;
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n"))
}

fn section(workspace: &Workspace, command: &[String], page: &mut String) {
    let text = help(workspace, command);
    let mut title = vec!["remit".to_owned()];
    title.extend_from_slice(command);
    let _ = write!(page, "\n## `{}`\n\n```text\n{text}```\n", title.join(" "));
    for name in commands(&text) {
        let mut inner = command.to_vec();
        inner.push(name);
        section(workspace, &inner, page);
    }
}

#[test]
fn the_page_of_the_command_line_is_what_help_says() {
    let workspace = Workspace::new("");
    let mut page = CLI_HEAD.to_owned();
    section(&workspace, &[], &mut page);
    assert!(page.contains("## `remit state unlock`"), "{page}");
    check("cli.md", &page);
}

#[test]
fn the_page_of_each_kind_is_its_schema() {
    let workspace = Workspace::new("");
    let list = workspace.expect(0, &["schema"]).stdout;
    let mut index = "# Kinds\n\n\
        What a `resource` can be, and what declarations become. Generated from the schemas;\n\
        `remit schema KIND` shows the same.\n\n| kind | what it is |\n|---|---|\n"
        .to_owned();
    let mut pages = BTreeSet::from(["README.md".to_owned()]);
    for line in list.lines() {
        let (kind, summary) = line.split_once(' ').unwrap();
        let page = workspace.expect(0, &["schema", kind, "--markdown"]).stdout;
        check(&format!("kinds/{kind}.md"), &page);
        pages.insert(format!("{kind}.md"));
        let _ = writeln!(index, "| [{kind}]({kind}.md) | {} |", summary.trim());
    }
    check("kinds/README.md", &index);
    let there: BTreeSet<String> = std::fs::read_dir(reference().join("kinds"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, pages, "a page without a kind");
}

const RULES_HEAD: &str = "# Rules\n\n\
    What remit finds in a configuration, in a plan and in the targets. Generated from the table of\n\
    rules; `remit rules explain RULE` shows the same, and `remit rules check` asks those that need\n\
    the configuration alone. What a rule needs and isn't there is listed as skipped, never passed.\n\n\
    A finding of severity error stops what creates or widens, never a removal. An\n\
    [`exception`](../language.md#exception) waives one rule for one declaration until a date.\n\n\
    | rule | finds | severity | needs | evidence for |\n|---|---|---|---|---|\n";

#[test]
fn the_page_of_each_rule_is_the_table() {
    let workspace = Workspace::new("");
    let mut index = RULES_HEAD.to_owned();
    let mut pages = BTreeSet::from(["README.md".to_owned()]);
    for rule in rules() {
        let code = rule.code;
        let page = workspace.expect(0, &["rules", "explain", code, "--markdown"]);
        check(&format!("rules/{code}.md"), &page.stdout);
        pages.insert(format!("{code}.md"));
        let _ = writeln!(
            index,
            "| [{code}]({code}.md) {} | {} | {} | {} | {} |",
            rule.name,
            rule.finds,
            rule.weight.text(),
            rule.needs().join(", "),
            rule.controls.join(", ")
        );
    }
    let _ = write!(
        index,
        "\n## Around the examples\n\nEach example stands beside these blocks, in which no rule finds \
         anything.\n\n```hcl\n{}\n```\n",
        BASE.trim_end()
    );
    check("rules/README.md", &index);
    let there: BTreeSet<String> = std::fs::read_dir(reference().join("rules"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, pages, "a page without a rule");
}

#[test]
fn the_page_of_the_language_names_every_function() {
    let page = std::fs::read_to_string(reference().join("language.md")).unwrap();
    for name in functions::names() {
        assert!(
            page.contains(&format!("`{name}(")),
            "`{name}` is missing in docs/reference/language.md"
        );
    }
}
