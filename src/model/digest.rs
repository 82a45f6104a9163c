//! The digest of a configuration: which texts and which values a plan was made from.

use std::collections::BTreeMap;

use remit_sdk::Value;
use sha2::{Digest, Sha256};

use crate::diagnostic::SourceMap;

/// SHA-256, in hex, over the sources by path and the values of variables by name. Each part is
/// preceded by its length, so that no two inputs give the same bytes. Of a secret only the
/// reference counts.
pub(super) fn digest(sources: &SourceMap, variables: &BTreeMap<String, Value>) -> String {
    let mut files: Vec<(String, &str)> = sources
        .files()
        .map(|file| (file.path.display().to_string(), &*file.text))
        .collect();
    files.sort();
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    for (path, text) in &files {
        add(path.as_bytes());
        add(text.as_bytes());
    }
    add(b"variables");
    for (name, value) in variables {
        add(name.as_bytes());
        add(value.to_json().to_string().as_bytes());
    }
    hex::encode(hash.finalize())
}

/// The digest together with policies, each a path and a text: what they would say is a part of
/// what a plan was made from. Without policies it is what it was.
pub fn with_policies<'a>(
    digest: &str,
    policies: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut files: Vec<(&str, &str)> = policies.into_iter().collect();
    if files.is_empty() {
        return digest.to_owned();
    }
    files.sort_unstable();
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    };
    add(digest);
    for (path, text) in files {
        add(path);
        add(text);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_policy_counts() {
        let of = |files: &[(&'static str, &'static str)]| with_policies("d", files.iter().copied());
        assert_eq!(of(&[]), "d");
        assert_eq!(of(&[("a", "x"), ("b", "y")]), of(&[("b", "y"), ("a", "x")]));
        let all = [
            of(&[("a", "x")]),
            of(&[("a", "y")]),
            of(&[("b", "x")]),
            of(&[("ax", "")]),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    fn sources(files: &[(&str, &str)]) -> SourceMap {
        let mut sources = SourceMap::default();
        for (path, text) in files {
            sources.add((*path).into(), (*text).into());
        }
        sources
    }

    #[test]
    fn order_means_nothing_and_every_byte_counts() {
        let none = BTreeMap::new();
        let one = digest(&sources(&[("a", "x"), ("b", "y")]), &none);
        assert_eq!(one, digest(&sources(&[("b", "y"), ("a", "x")]), &none));
        assert_ne!(one, digest(&sources(&[("a", "xb"), ("", "y")]), &none));
        let some = BTreeMap::from([("v".to_owned(), Value::integer(1))]);
        assert_ne!(one, digest(&sources(&[("a", "x"), ("b", "y")]), &some));
    }
}
