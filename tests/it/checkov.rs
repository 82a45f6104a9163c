//! Checkov, a checker made for Terraform's plans, reads ours and evaluates its checks of IAM.
//!
//! It runs in a process of its own, with nothing in its environment that would let it ask a
//! server, and is told to fetch nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::aws::Stage;

/// One role as it should be, and one policy that allows everything.
const CONFIGURATION: &str = r#"
resource "aws_iam_role" "reader" {
  name               = "reader"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}
resource "aws_iam_role_policy" "narrow" {
  role   = aws_iam_role.reader.name
  name   = "narrow"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["arn:aws:s3:::invoices/a"]
    }]
  })
}
resource "aws_iam_policy" "everything" {
  name   = "everything"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
  })
}
"#;

/// The program: of the virtual environment named by `REMIT_TEST_CHECKOV`, or of the one that
/// `tests/install` makes.
fn program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = std::env::var_os("REMIT_TEST_CHECKOV")
        .map_or_else(|| root.join(".tools/checkov"), PathBuf::from);
    let program = venv.join("bin/checkov");
    assert!(
        program.is_file(),
        "no Checkov was found in {}: run tests/install checkov, or name its virtual environment in REMIT_TEST_CHECKOV",
        venv.display()
    );
    program
}

/// What it says about a plan.
fn check(folder: &Path, plan: &str) -> Json {
    std::fs::write(folder.join("plan.json"), plan).unwrap();
    let output = Command::new(program())
        .args(["--file", "plan.json", "--framework", "terraform_plan"])
        .args(["--output", "json", "--skip-download"])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("PATH", "/usr/bin:/bin")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LOG_LEVEL", "WARNING")
        // Whatever it tries to reach, it doesn't.
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8(output.stdout).unwrap();
    // It ends with 1 where a check failed, and with 2 where it did itself.
    assert_eq!(output.status.code(), Some(1), "{told}\n{text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {told}\n{text}"))
}

/// `CHECK ADDRESS` of each check in this list.
fn checks(report: &Json, list: &str) -> Vec<String> {
    report["results"][list]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            format!("{} {}", text("check_id"), text("resource_address"))
        })
        .collect()
}

#[test]
fn checkov_checks_iam_in_a_plan() {
    let stage = Stage::new(CONFIGURATION);
    stage.plan();
    let shown = stage
        .space
        .expect(0, &["show", "--json", "saved.remitplan"]);
    let report = check(stage.space.path(), &shown.stdout);
    assert_eq!(report["check_type"], "terraform_plan");
    assert_eq!(report["summary"]["parsing_errors"], 0, "{report:#}");
    assert_eq!(report["results"]["parsing_errors"], serde_json::json!([]));
    assert_eq!(
        report["summary"]["resource_count"], 3,
        "{:#}",
        report["summary"]
    );
    let (passed, failed) = (
        checks(&report, "passed_checks"),
        checks(&report, "failed_checks"),
    );
    // A policy that allows everything is found, by the name it has in the plan.
    for check in ["CKV_AWS_62", "CKV_AWS_63"] {
        let found = format!("{check} aws_iam_policy.everything/aws_iam_policy");
        assert!(failed.contains(&found), "{failed:#?}");
    }
    // The role's trust and the narrow policy are read, and pass.
    for found in [
        "CKV_AWS_60 aws_iam_role.reader/aws_iam_role",
        "CKV_AWS_62 aws_iam_role_policy.narrow/aws_iam_role_policy",
    ] {
        assert!(passed.iter().any(|one| one == found), "{passed:#?}");
    }
}
