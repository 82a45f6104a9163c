//! Searches what a run left behind for secrets, in the forms they could hide in.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// The forms a secret could be written in.
fn forms(secret: &str) -> Vec<(String, &'static str)> {
    let mut all = vec![
        (secret.to_owned(), "as it is"),
        (hex::encode(secret), "in hex"),
        (hex::encode_upper(secret), "in hex"),
        (secret.replace('-', "%2D"), "for a URL"),
        (
            serde_json::to_string(secret)
                .unwrap()
                .trim_matches('"')
                .to_owned(),
            "for JSON",
        ),
    ];
    // Inside a longer text, base64 begins at one of three places; its ends depend on what is around.
    for phase in 0..3 {
        let padded = [vec![b'x'; phase], secret.as_bytes().to_vec()].concat();
        for engine in [STANDARD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let core = engine.trim_end_matches('=');
            let core = core
                .get(4..core.len().saturating_sub(2))
                .unwrap_or_default();
            if core.len() >= 8 {
                all.push((core.to_owned(), "in base64"));
            }
        }
    }
    all
}

/// Where a secret stands in a text.
pub(crate) fn in_text(secret: &str, text: &str) -> Option<&'static str> {
    forms(secret)
        .into_iter()
        .find(|(form, _)| text.contains(form))
        .map(|(_, what)| what)
}

/// Every file below `folder` that holds a secret.
pub(crate) fn in_folder(secret: &str, folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .flatten()
                    .map(|entry| entry.path()),
            );
        } else if let Ok(bytes) = std::fs::read(&path)
            && let Some(what) = in_text(secret, &String::from_utf8_lossy(&bytes))
        {
            found.push(format!("{} {what}", path.display()));
        }
    }
    found
}

#[test]
fn what_is_planted_is_found() {
    let secret = "c4n4ry-planted-71";
    let folder = tempfile::tempdir().unwrap();
    let plant = |text: &str| {
        std::fs::write(folder.path().join("x"), text).unwrap();
        in_folder(secret, folder.path()).len()
    };
    assert_eq!(plant("nothing here"), 0);
    assert_eq!(plant(&format!("a{secret}b")), 1);
    assert_eq!(plant(&hex::encode(secret)), 1);
    for before in ["", "a", "ab"] {
        assert_eq!(
            plant(&STANDARD.encode(format!("{before}{secret}tail"))),
            1,
            "{before}"
        );
    }
}
