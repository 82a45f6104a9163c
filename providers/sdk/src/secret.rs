//! A secret in memory: wiped when dropped, impossible to print, store or compare.
//!
//! In comes the text, out it goes into requests alone. Whoever shows a server's answer to such a
//! request asks first whether the answer [tells](Secret::is_told_by) the secret: servers quote
//! what they were sent, in part, and escaped.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

/// From how many characters in a row on a piece of a secret must not be shown. Three are met by
/// chance in any text, and tell next to nothing.
const PIECE: usize = 4;

/// The same in quotes: what a server takes for wrong, it quotes exactly (`invalid escape "%zz"`).
const QUOTED_PIECE: usize = 2;

/// The same for a secret in hex or base64: there fewer are met by chance in numbers and words.
const ENCODED_PIECE: usize = 8;

/// A secret value. It has no `Debug`, `Display`, `Serialize`, `PartialEq` or `Clone`; whoever
/// needs the text says so with [`Secret::expose`], and a reader can search for that word.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; it is wiped when the secret is dropped.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Only for putting it into a request.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether a text holds the secret or a piece of it that counts: four characters in a row, two
    /// in quotes, in any case, as they are or as a URL, JSON, hex or base64 holds them. Meant for
    /// short texts: it takes the product of both lengths.
    pub fn is_told_by(&self, text: &str) -> bool {
        let text = Zeroizing::new(text.to_ascii_lowercase());
        // Its first and last line say what a key is, and are in every text about keys.
        // Room for all of it at once: a buffer that grows leaves copies behind.
        let mut body = Zeroizing::new(String::with_capacity(self.0.len()));
        for line in self.0.split_inclusive('\n') {
            if !line.starts_with("-----") {
                body.push_str(line);
            }
        }
        self.forms(&body)
            .iter()
            .any(|(form, piece)| shares(&text, form, *piece) || quotes(&text, form, *piece))
    }

    /// The forms it may come back in, lower case, and how much of each may not be shown.
    fn forms(&self, body: &str) -> Vec<(Zeroizing<String>, usize)> {
        let mut forms: Vec<(String, usize)> = vec![
            (body.to_owned(), PIECE),
            (percent_encoded(body), PIECE),
            (percent_decoded(body), PIECE),
            (escaped(body), PIECE),
            (hex::encode(&**self.0), ENCODED_PIECE),
        ];
        // Inside of a longer text base64 begins at one of three places.
        for phase in 0..3 {
            let mut padded = Zeroizing::new(vec![0; phase]);
            padded.extend_from_slice(self.0.as_bytes());
            for engine in [STANDARD, URL_SAFE] {
                let mut text = engine.encode(&*padded);
                // What the neighbours have a part in, and the padding, is not the secret's.
                let end = text.trim_end_matches('=').len().saturating_sub(1);
                text.truncate(end);
                if phase > 0 && text.len() >= 4 {
                    text.drain(..4);
                }
                forms.push((text, ENCODED_PIECE));
            }
        }
        forms
            .into_iter()
            .map(|(mut form, piece)| {
                form.make_ascii_lowercase();
                (Zeroizing::new(form), piece)
            })
            .collect()
    }
}

/// Whether a text holds a piece of this length of a form, or all of a shorter one.
fn shares(text: &str, form: &str, piece: usize) -> bool {
    if form.chars().count() <= piece {
        return piece == PIECE && !form.is_empty() && text.contains(form);
    }
    let starts = text.char_indices().map(|(at, _)| at);
    let ends = text
        .char_indices()
        .map(|(at, _)| at)
        .skip(piece)
        .chain([text.len()]);
    starts
        .zip(ends)
        .filter_map(|(start, end)| text.get(start..end))
        .any(|window| window.chars().count() == piece && form.contains(window))
}

/// Whether a text holds a short piece of a form in quotes, with the signs around it that an
/// address has there.
fn quotes(text: &str, form: &str, piece: usize) -> bool {
    piece == PIECE
        && text.split(['"', '\'', '`']).any(|quoted| {
            let quoted = quoted.trim_matches([':', '@', '/', ' ']);
            quoted.chars().count() >= QUOTED_PIECE && form.contains(quoted)
        })
}

/// Every character with a meaning in a URL as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                out.push_str(&hex::encode([byte]));
            }
        }
    }
    out
}

/// What is left where a URL's reader takes `%XX` for a byte.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| hex::decode(pair).ok());
        if let (b'%', Some([byte])) = (first, pair.as_deref()) {
            bytes.push(*byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// As JSON writes it, and Go in quotes.
fn escaped(text: &str) -> String {
    // Room for every character escaped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(6 * text.len() + 2));
    if serde_json::to_writer(&mut *bytes, text).is_err() {
        return String::new();
    }
    let inner = bytes
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    String::from_utf8_lossy(inner.unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(secret: &str, text: &str) -> bool {
        Secret::new(secret.to_owned()).is_told_by(text)
    }

    #[test]
    fn a_text_that_holds_a_piece_of_it_tells_a_secret() {
        for (secret, text) in [
            ("CANARY/secret", "invalid port \":CANARY\" after host"),
            ("CANARY/secret", "at CANARY/secret"),
            ("CANARY/secret", "host canary: no such host"),
            ("CANARY/secret", "postgres://u:CANARY%2Fsecret@h"),
            ("a/b/c/d", "parse a%2fb%2fc%2fd"),
            ("C%41N%41RY", "invalid port \":CANA\""),
            ("x\"y\"z\n", "in \"x\\\"y\\\"z\\n\""),
            ("hunter2", "user u, password hunt…"),
            ("hunter2", "68756e74657232"),
            ("hunter2hunter2", "eGh1bnRlcjJodW50ZXIy"),
            ("hunter2hunter2", "aHVudGVyMmh1bnRlcjI="),
            ("pw1", "near pw1"),
            ("CANARY%zz", "invalid URL escape \"%zz\""),
            ("CA/NARY", "invalid port \":CA\" after host"),
            ("äöüß", "near äöüß"),
        ] {
            assert!(told(secret, text), "{secret:?} in {text:?}");
        }
    }

    #[test]
    fn a_text_that_holds_nothing_of_it_is_let_through() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n";
        for (secret, text) in [
            (
                "CANARY/secret",
                "dial tcp 127.0.0.1:1: connect: connection refused",
            ),
            ("CANARY/secret", ""),
            ("CANARY/secret", "can you"),
            ("CANARY/secret", "in \"c\" the \"tin\""),
            ("", "anything"),
            ("hunter2", "a hun, 6875"),
            (key, "failed to parse private key"),
        ] {
            assert!(!told(secret, text), "{secret:?} in {text:?}");
        }
        assert!(told(key, "illegal base64 at MIIEvQ"));
    }
}
