//! As much of XML as the answers of IAM need: the text of an element, the members of a list.
//!
//! In: a body as moto writes it, without comments, CDATA or attributes beyond the root's. Out:
//! pieces of it, or the same with its documents percent-encoded, which AWS does everywhere and moto
//! here and there. It must never be used on what a stranger wrote: it checks nothing.

use super::wire::encode;

/// The text of the first element of this name.
pub(crate) fn text(xml: &str, name: &str) -> Option<String> {
    inner(xml, name).map(unescape)
}

/// What is inside the first element of this name.
pub(crate) fn inner<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    after
        .split_once(&format!("</{name}>"))
        .map(|(text, _)| text)
}

/// The members of the first list of this name, each without its own tag.
pub(crate) fn members<'a>(xml: &'a str, list: &str) -> Vec<&'a str> {
    const OPEN: &str = "<member>";
    const CLOSE: &str = "</member>";
    let Some(start) = xml.find(&format!("<{list}>")) else {
        return Vec::new();
    };
    let mut rest = &xml[start + list.len() + 2..];
    let mut all = Vec::new();
    while let Some(body) = rest.strip_prefix(OPEN) {
        let (mut depth, mut at) = (1, 0);
        while depth > 0 {
            let Some(close) = body[at..].find(CLOSE) else {
                return all;
            };
            match body[at..].find(OPEN) {
                Some(open) if open < close => {
                    depth += 1;
                    at += open + OPEN.len();
                }
                _ => {
                    depth -= 1;
                    at += close + CLOSE.len();
                }
            }
        }
        all.push(&body[..at - CLOSE.len()]);
        rest = &body[at..];
    }
    all
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#10;", "\n")
        .replace("&amp;", "&")
}

/// The same with every policy document percent-encoded.
pub(crate) fn with_documents_encoded(xml: &str) -> String {
    const DOCUMENTS: [&str; 3] = ["AssumeRolePolicyDocument", "PolicyDocument", "Document"];
    let mut result = xml.to_owned();
    for name in DOCUMENTS {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let mut done = String::with_capacity(result.len());
        let mut rest = result.as_str();
        while let Some((before, after)) = rest.split_once(&open) {
            let (document, left) = after.split_once(&close).unwrap_or((after, ""));
            let plain = unescape(document);
            let encoded = if plain.trim_start().starts_with('{') {
                encode(&plain)
            } else {
                // moto leaves the slash alone where it encodes; AWS does not.
                document.replace('/', "%2F")
            };
            done.push_str(before);
            done.push_str(&open);
            done.push_str(&encoded);
            done.push_str(&close);
            rest = left;
        }
        done.push_str(rest);
        result = done;
    }
    result
}

#[test]
fn members_may_hold_members() {
    let xml =
        "<L><member>a<M><member>b</member></M></member><member>c</member></L><member>d</member>";
    assert_eq!(members(xml, "L"), ["a<M><member>b</member></M>", "c"]);
    assert_eq!(members(xml, "M"), ["b"]);
    assert!(members("<L/>", "L").is_empty());
}

#[test]
fn documents_are_encoded_once() {
    let xml =
        "<PolicyDocument>{\"a\": \"&lt;b/&gt;\"}</PolicyDocument><Document>%7B/%7D</Document>";
    assert_eq!(
        with_documents_encoded(xml),
        "<PolicyDocument>%7B%22a%22%3A%20%22%3Cb%2F%3E%22%7D</PolicyDocument><Document>%7B%2F%7D</Document>"
    );
}
