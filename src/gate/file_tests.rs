//! What a saved plan is written as, and which files are read.

use super::file::{FORMAT, Header, PLAN_BYTES_MAX, SavedPlan, digest, from_bytes, short, to_bytes};
use super::{Requirement, Review};
use crate::plan::Plan;

fn saved() -> SavedPlan {
    let mut body = Review::of(Plan::nothing());
    body.plan.format = FORMAT;
    SavedPlan {
        header: Header {
            created_at: "2026-11-01T12:00:00Z".into(),
            expires_at: "2026-11-02T12:00:00Z".into(),
            nonce: "n".into(),
            digest: digest(&body).unwrap(),
        },
        body,
    }
}

#[test]
fn what_is_written_is_read() {
    let saved = saved();
    let bytes = to_bytes(&saved).unwrap();
    assert_eq!(from_bytes(&bytes).unwrap(), saved);
    let line = bytes.iter().position(|byte| *byte == b'\n');
    assert_eq!(line, Some(bytes.len() - 1));
    // A plan of half a million objects fits, and what would fill the memory doesn't.
    assert_eq!(PLAN_BYTES_MAX, 1 << 29);
}

#[test]
fn the_digest_is_of_the_whole_body_and_of_nothing_else() {
    let saved = saved();
    let digest_of = |change: &dyn Fn(&mut Review)| {
        let mut body = saved.body.clone();
        change(&mut body);
        digest(&body).unwrap()
    };
    assert_eq!(saved.header.digest.len(), 64);
    assert_eq!(digest_of(&|_| {}), saved.header.digest);
    let requirement = Requirement {
        loosens: false,
        why: "w".into(),
        required: 1,
        approvers: Vec::new(),
    };
    let changed = [
        digest_of(&|body| body.plan.serial += 1),
        digest_of(&|body| body.skipped.push(("RMT503".into(), "needs x".into()))),
        digest_of(&|body| body.approvals.push(requirement.clone())),
    ];
    for one in &changed {
        assert_ne!(*one, saved.header.digest);
        assert_eq!(changed.iter().filter(|other| *other == one).count(), 1);
    }
}

#[test]
fn what_is_no_plan_of_this_version_is_refused() {
    let bytes = to_bytes(&saved()).unwrap();
    let refused = |bytes: &[u8]| from_bytes(bytes).unwrap_err();
    let json = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        change(&mut json);
        refused(&serde_json::to_vec(&json).unwrap())
    };
    for cut in [0, 1, bytes.len() / 2, bytes.len() - 2] {
        let error = refused(bytes.get(..cut).unwrap());
        assert_eq!(error.summary, "not a saved plan", "{cut}");
    }
    for format in [FORMAT - 1, FORMAT + 1] {
        let error = json(&|json| json["body"]["plan"]["format"] = format.into());
        assert_eq!(error.summary, "plan of another format");
        assert!(
            error.detail.contains(&format!("has format {format}")),
            "{}",
            error.detail
        );
    }
    // The first format had it elsewhere.
    let error = json(&|json| *json = serde_json::json!({ "body": { "format": 1 } }));
    assert_eq!(error.summary, "plan of another format");
    let error = json(&|json| json["body"]["plan"]["format"] = serde_json::Value::Null);
    assert!(error.detail.contains("no format"), "{}", error.detail);
    let error = json(&|json| json["header"] = serde_json::Value::Null);
    assert!(error.detail.contains("incomplete"), "{}", error.detail);
}

#[test]
fn what_was_changed_since_is_refused_with_both_digests() {
    let mut changed = saved();
    changed.body.plan.serial += 1;
    let (then, now) = (
        short(&changed.header.digest),
        short(&digest(&changed.body).unwrap()),
    );
    let error = from_bytes(&to_bytes(&changed).unwrap()).unwrap_err();
    assert_eq!(error.summary, "plan was changed after it was made");
    assert_eq!(
        error.detail,
        format!("its digest is {now}, and its header says {then}")
    );
    assert_eq!((then.len(), now.len()), (12, 12));
    assert_eq!(
        short("\u{1b}[31m\u{1b}"),
        remit_sdk::text::safe("\u{1b}[31m\u{1b}")
    );
}
