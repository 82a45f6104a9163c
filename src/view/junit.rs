//! What rules found, as JUnit XML: what CI systems show as tests.
//!
//! In: findings. Out: one suite with one case for each finding, and one for each rule that found
//! nothing. An error that isn't waived is a failure, a warning is a case with its text as output,
//! a waived finding and a rule that was skipped are skipped cases.

use std::fmt::Write as _;

use remit_sdk::text::safe;

use crate::rules::{Checked, Finding, Severity, rules};

/// The report.
pub fn report(checked: &Checked) -> String {
    let mut cases = String::new();
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for finding in &checked.findings {
        tests += 1;
        failures += usize::from(finding.stops());
        skipped += usize::from(finding.waived_by.is_some());
        case(&mut cases, finding);
    }
    for rule in rules() {
        if checked.findings.iter().any(|one| one.rule == rule.code) {
            continue;
        }
        tests += 1;
        let class = format!("{} {}", rule.code, rule.name);
        let lacking = checked.skipped.iter().find(|(code, _)| code == rule.code);
        let _ = match lacking {
            Some((_, what)) => {
                skipped += 1;
                writeln!(
                    cases,
                    "    <testcase classname=\"{}\" name=\"{}\">\n      <skipped message=\"{}\"/>\n    </testcase>",
                    escape(&class),
                    escape(rule.name),
                    escape(what)
                )
            }
            None => writeln!(
                cases,
                "    <testcase classname=\"{}\" name=\"{}\"/>",
                escape(&class),
                escape(rule.name)
            ),
        };
    }
    let counts =
        format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  \
         <testsuite name=\"remit rules\" {counts}>\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

fn case(out: &mut String, finding: &Finding) {
    let class = format!("{} {}", finding.rule, finding.name);
    let address = finding.address.as_ref().map(ToString::to_string);
    let place = finding.place.as_deref().and_then(super::sarif::split);
    let place = place.map_or(String::new(), |(file, line)| {
        format!(" file=\"{}\" line=\"{line}\"", escape(file))
    });
    let name = address.unwrap_or_else(|| finding.name.clone());
    let what = escape(&finding.what);
    let text = format!("{} Help: {}", finding.why, finding.help);
    let text = escape(&text);
    let inner = match (&finding.waived_by, finding.severity) {
        (Some(exception), _) => {
            let why = format!("waived by {exception}: {}", finding.what);
            format!("<skipped message=\"{}\"/>", escape(&why))
        }
        (None, Severity::Error) => {
            format!("<failure message=\"{what}\" type=\"error\">{text}</failure>")
        }
        (None, Severity::Warning) => format!("<system-out>warning: {what}. {text}</system-out>"),
    };
    let _ = writeln!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\"{place}>\n      {inner}\n    </testcase>",
        escape(&class),
        escape(&name)
    );
}

/// Text for an attribute or an element (XML 1.0). Control characters are gone already.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in safe(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Characters that XML has no way to write.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::findings;
    use super::*;

    #[test]
    fn a_case_for_each_finding_and_each_silent_rule() {
        let text = report(&findings());
        let lines: Vec<&str> = text.lines().take(15).collect();
        let counts = |rules: usize| {
            let tests = 4 + rules - 3;
            format!("tests=\"{tests}\" failures=\"1\" errors=\"0\" skipped=\"4\"")
        };
        let counts = counts(rules().count());
        assert_eq!(
            lines,
            [
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
                &format!("<testsuites {counts}>"),
                &format!("  <testsuite name=\"remit rules\" {counts}>"),
                "    <testcase classname=\"RMT101 shared-identity\" name=\"identity.x\" \
                 file=\"a b/main.remit.hcl\" line=\"7\">",
                "      <failure message=\"&lt;b&gt; &amp; `\\u{1b}`\" type=\"error\">It matters. \
                 Help: write &quot;it&quot;</failure>",
                "    </testcase>",
                "    <testcase classname=\"RMT104 purposeless\" name=\"agent.y\" \
                 file=\"main.remit.hcl\" line=\"9\">",
                "      <skipped message=\"waived by exception.z: nothing\"/>",
                "    </testcase>",
                "    <testcase classname=\"RMT204 unused-scope\" name=\"unused-scope\">",
                "      <system-out>warning: nothing. It matters. Help: write \
                 &quot;it&quot;</system-out>",
                "    </testcase>",
                "    <testcase classname=\"ORG/no-friday no-friday\" name=\"no-friday\">",
                "      <system-out>warning: nothing. It matters. Help: write \
                 &quot;it&quot;</system-out>",
                "    </testcase>",
            ]
        );
    }
}
