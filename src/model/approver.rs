//! The SSH public keys of those who may approve.
//!
//! In: a line as a `.pub` file has it. Out: the key in its one form, or why it is none. Two lines
//! with the same key and other comments are the same key; a key that has two encodings is taken
//! in one of them only, so that nobody counts twice.

use ssh_key::public::KeyData;
use ssh_key::{EcdsaCurve, HashAlg, PublicKey};

/// RSA keys hold 2048 to 8192 bits: below, they can be broken; above, no tool makes them.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A key that can approve.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApproverKey {
    /// The type and the key, without a comment: what tells one key from another.
    pub text: String,
    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fingerprint: String,
    /// Whose it is, as the configuration says it; may be empty.
    pub comment: String,
}

impl ApproverKey {
    /// Reads a line of a `.pub` file.
    pub fn parse(line: &str) -> Result<Self, String> {
        let key = PublicKey::from_openssh(line)
            .map_err(|_| "it is no line of a `.pub` file".to_owned())?;
        Self::of(key.key_data(), key.comment())
    }

    /// The key of a signature or an agent.
    pub fn of(key: &KeyData, comment: &str) -> Result<Self, String> {
        check(key)?;
        let plain = PublicKey::new(key.clone(), "");
        let text = plain
            .to_openssh()
            .map_err(|_| "it can't be written as text".to_owned())?;
        Ok(Self {
            text: text.trim_end().to_owned(),
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
            comment: comment.to_owned(),
        })
    }

    /// Its fingerprint and comment, for people.
    pub fn shown(&self) -> String {
        if self.comment.is_empty() {
            self.fingerprint.clone()
        } else {
            format!(
                "{} {}",
                self.fingerprint,
                remit_sdk::text::safe(&self.comment)
            )
        }
    }
}

/// Whether signatures by such a key can be checked.
fn check(key: &KeyData) -> Result<(), String> {
    const INSTEAD: &str = "ed25519, ecdsa with nistp256 or nistp384, rsa, sk-ssh-ed25519 and \
                           sk-ecdsa-sha2-nistp256 are understood";
    let unknown = || Err(format!("its type is `{}`; {INSTEAD}", key.algorithm()));
    match key {
        KeyData::Ed25519(_) | KeyData::SkEd25519(_) => Ok(()),
        KeyData::Ecdsa(point) if point.curve() == EcdsaCurve::NistP521 => unknown(),
        KeyData::Ecdsa(point) => uncompressed(point.as_sec1_bytes()),
        KeyData::SkEcdsaSha2NistP256(key) => uncompressed(key.ec_point().as_bytes()),
        KeyData::Rsa(key) => {
            let bits = key.n.as_positive_bytes().map_or(0, |bytes| {
                let zeros = bytes
                    .first()
                    .map_or(0, |byte| byte.leading_zeros() as usize);
                (bytes.len() * 8).saturating_sub(zeros)
            });
            if RSA_BITS.contains(&bits) {
                return Ok(());
            }
            Err(format!("an RSA key of {bits} bits; 2048 to 8192 are taken"))
        }
        _ => unknown(),
    }
}

/// A point on a curve has a long and a short form; OpenSSH knows the long one only.
fn uncompressed(point: &[u8]) -> Result<(), String> {
    if point.first() == Some(&4) {
        Ok(())
    } else {
        Err("its point is compressed, which OpenSSH doesn't read".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";

    #[test]
    fn a_comment_makes_no_other_key() {
        let plain = ApproverKey::parse(KEY).unwrap();
        let named = ApproverKey::parse(&format!("{KEY} approver-1")).unwrap();
        let spaced = ApproverKey::parse(&format!("{KEY} approver-1 of two\n")).unwrap();
        assert_eq!(plain.text, KEY);
        assert_eq!(plain.text, named.text);
        assert_eq!(plain.text, spaced.text);
        assert!(named.fingerprint.starts_with("SHA256:"));
        assert_eq!(named.shown(), format!("{} approver-1", named.fingerprint));
        assert_eq!(plain.shown(), plain.fingerprint);
    }

    #[test]
    fn what_can_not_be_checked_is_no_approver() {
        for (line, why) in [
            ("ssh-ed25519 AAAAC3Nza approver-1", "no line"),
            ("ssh-ed25519", "no line"),
            ("", "no line"),
        ] {
            let error = ApproverKey::parse(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
    }

    #[test]
    fn other_bits_at_the_end_of_the_base64_are_no_other_key() {
        // 51 bytes need 68 characters: none to spare; the key's other encodings are refused.
        for other in [format!("{KEY}="), KEY.replace("AAAAC3", "AAAA C3")] {
            assert!(ApproverKey::parse(&other).is_err(), "{other}");
        }
    }
}
