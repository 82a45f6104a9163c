//! Signatures by keys made here, of every type; how they agree with OpenSSH is tested with the
//! program itself.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA512,
};
use sha2::{Digest, Sha256};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, RsaPublicKey, SkEd25519};
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, LineEnding, Mpint, PrivateKey, Signature, SshSig};

use super::signature::{NAMESPACE, SIGNATURE_BYTES_MAX, from_agent, to_be_signed, verify};

pub(super) const MESSAGE: &[u8] = b"{\"body\":{}}\n";

pub(super) fn ed25519(seed: u8) -> PrivateKey {
    let pair = Ed25519Keypair::from_seed(&[seed; 32]);
    PrivateKey::new(KeypairData::Ed25519(pair), "approver-1").unwrap()
}

pub(super) fn signed(key: &PrivateKey, namespace: &str, message: &[u8]) -> String {
    let signature = key.sign(namespace, HashAlg::Sha512, message).unwrap();
    signature.to_pem(LineEnding::LF).unwrap()
}

/// A signature as PEM, from its parts.
fn made(key: KeyData, algorithm: Algorithm, data: Vec<u8>) -> String {
    let signature = Signature::new(algorithm, data).unwrap();
    let sig = SshSig::new(key, NAMESPACE, HashAlg::Sha512, signature).unwrap();
    sig.to_pem(LineEnding::LF).unwrap()
}

fn why(signature: &str) -> String {
    verify(signature.as_bytes(), MESSAGE).unwrap_err()
}

#[test]
fn a_signature_over_these_bytes_is_by_its_key() {
    let key = ed25519(1);
    let text = signed(&key, NAMESPACE, MESSAGE);
    let found = verify(text.as_bytes(), MESSAGE).unwrap();
    let public = key.public_key().to_openssh().unwrap();
    assert_eq!(format!("{} approver-1", found.text), public);
    let windows = text.replace('\n', "\r\n");
    assert_eq!(verify(windows.as_bytes(), MESSAGE), Ok(found));
}

#[test]
fn over_other_bytes_or_for_something_else_it_counts_for_nothing() {
    let key = ed25519(1);
    let other = signed(&key, NAMESPACE, b"{\"body\":{}}");
    assert!(why(&other).contains("over this plan"));
    for namespace in ["file", "git", "remit-plan2", "remit"] {
        assert!(why(&signed(&key, namespace, MESSAGE)).contains("was made for"));
    }
    let large = "x".repeat(SIGNATURE_BYTES_MAX + 1);
    assert!(why(&large).contains("more than"));
    assert!(why("").contains("no SSH signature"));
    let good = signed(&ed25519(1), NAMESPACE, MESSAGE);
    assert!(verify(format!("{good}\n").as_bytes(), MESSAGE).is_ok());
    for around in [
        format!("hello\n{good}"),
        format!("\n{good}"),
        format!("{good}hello"),
    ] {
        assert!(why(&around).contains("no SSH signature"), "{around}");
    }
    assert!(verify(&[0xff, 0xfe], MESSAGE).is_err());
}

#[test]
fn as_large_as_may_be() {
    assert_eq!(SIGNATURE_BYTES_MAX, 1 << 14);
    let mut text = signed(&ed25519(1), NAMESPACE, MESSAGE).into_bytes();
    text.resize(SIGNATURE_BYTES_MAX, b'\n');
    assert!(verify(&text, MESSAGE).is_ok());
    text.push(b'\n');
    assert!(verify(&text, MESSAGE).unwrap_err().contains("more than"));
}

#[test]
fn what_an_agent_answers_becomes_a_signature() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = Ed25519PublicKey(pair.public_key().as_ref().try_into().unwrap());
    let key = KeyData::Ed25519(public);
    let data = pair.sign(&to_be_signed(MESSAGE).unwrap());
    let mut blob = Vec::new();
    for part in [b"ssh-ed25519".as_slice(), data.as_ref()] {
        blob.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        blob.extend(part);
    }
    let text = from_agent(&key, &blob).unwrap();
    let found = verify(text.as_bytes(), MESSAGE).unwrap();
    assert_eq!(found.text.split(' ').next(), Some("ssh-ed25519"));
    assert!(verify(text.as_bytes(), b"other").is_err());
    assert!(from_agent(&key, b"no signature").is_err());
}

#[test]
fn every_change_of_a_signature_is_seen() {
    let text = signed(&ed25519(1), NAMESPACE, MESSAGE);
    let own = verify(text.as_bytes(), MESSAGE).unwrap();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        // What is no change of what it says may pass, as the same key.
        if let Ok(found) = verify(&bytes, MESSAGE) {
            assert_eq!(found, own, "{at}");
        }
        assert!(verify(&text.as_bytes()[..at], MESSAGE).is_err() || at >= text.len() - 1);
    }
}

#[test]
fn another_key_can_not_be_put_in_its_place() {
    let sig = ed25519(1)
        .sign(NAMESPACE, HashAlg::Sha512, MESSAGE)
        .unwrap();
    let other = ed25519(2).public_key().key_data().clone();
    let data = sig.signature_bytes().to_vec();
    let swapped = made(other, Algorithm::Ed25519, data);
    assert!(why(&swapped).contains("it is not by SHA256:"));
}

#[test]
fn a_token_must_have_been_touched() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = Ed25519PublicKey(pair.public_key().as_ref().try_into().unwrap());
    let key = SkEd25519::new(public, "ssh:");
    let token = |flags: u8| {
        let trailer = [flags, 0, 0, 0, 9];
        let mut data = Sha256::digest(b"ssh:").to_vec();
        data.extend(trailer);
        data.extend(Sha256::digest(to_be_signed(MESSAGE).unwrap()));
        let mut signature = pair.sign(&data).as_ref().to_vec();
        signature.extend(trailer);
        made(
            KeyData::SkEd25519(key.clone()),
            Algorithm::SkEd25519,
            signature,
        )
    };
    let touched = token(1);
    assert!(verify(touched.as_bytes(), MESSAGE).is_ok());
    assert!(verify(token(5).as_bytes(), MESSAGE).is_ok());
    assert!(verify(touched.as_bytes(), b"other").is_err());
    assert!(why(&token(0)).contains("not touched"));
    assert!(why(&token(4)).contains("not touched"));
}

#[test]
fn ecdsa_is_verified() {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).unwrap();
    let key = EcdsaPublicKey::from_sec1_bytes(pair.public_key().as_ref()).unwrap();
    let fixed = pair.sign(&random, &to_be_signed(MESSAGE).unwrap()).unwrap();
    let mut data = Vec::new();
    for half in fixed.as_ref().chunks(32) {
        let number = Mpint::from_positive_bytes(half).unwrap();
        let length = u32::try_from(number.as_bytes().len()).unwrap();
        data.extend(length.to_be_bytes());
        data.extend(number.as_bytes());
    }
    let curve = EcdsaCurve::NistP256;
    let text = made(KeyData::Ecdsa(key), Algorithm::Ecdsa { curve }, data);
    assert!(verify(text.as_bytes(), MESSAGE).is_ok());
    assert!(verify(text.as_bytes(), b"other").is_err());
}

#[test]
fn rsa_is_verified_with_sha_2_alone() {
    let random = SystemRandom::new();
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = pair.public_key();
    let key = RsaPublicKey {
        e: Mpint::from_positive_bytes(public.exponent().big_endian_without_leading_zero()).unwrap(),
        n: Mpint::from_positive_bytes(public.modulus().big_endian_without_leading_zero()).unwrap(),
    };
    let message = to_be_signed(MESSAGE).unwrap();
    let mut texts = Vec::new();
    for (hash, padding) in [
        (HashAlg::Sha256, &RSA_PKCS1_SHA256),
        (HashAlg::Sha512, &RSA_PKCS1_SHA512),
    ] {
        let mut data = vec![0; pair.public_modulus_len()];
        pair.sign(padding, &random, &message, &mut data).unwrap();
        let algorithm = Algorithm::Rsa { hash: Some(hash) };
        let text = made(KeyData::Rsa(key.clone()), algorithm, data.clone());
        assert!(verify(text.as_bytes(), MESSAGE).is_ok());
        assert!(verify(text.as_bytes(), b"other").is_err());
        texts.push(data);
    }
    // The one hash's signature under the other's name.
    let hash = Some(HashAlg::Sha256);
    let swapped = made(
        KeyData::Rsa(key.clone()),
        Algorithm::Rsa { hash },
        texts.remove(1),
    );
    assert!(verify(swapped.as_bytes(), MESSAGE).is_err());
    // Another type of key with an RSA signature, and the other way round.
    let ed25519 = ed25519(1);
    let sig = ed25519.sign(NAMESPACE, HashAlg::Sha512, MESSAGE).unwrap();
    let data = sig.signature_bytes().to_vec();
    let mixed = made(KeyData::Rsa(key), Algorithm::Ed25519, data.clone());
    assert!(verify(mixed.as_bytes(), MESSAGE).is_err());
    let public = ed25519.public_key().key_data().clone();
    let mixed = made(
        public,
        Algorithm::SkEd25519,
        [data, vec![1, 0, 0, 0, 0]].concat(),
    );
    assert!(why(&mixed).contains("algorithm"));
}
