//! Signatures of approvers: SSHSIG, as `ssh-keygen -Y sign -n remit-plan` makes them. PURE.
//!
//! In: a signature's text and the bytes it is about. Out: the key that made it, proven, or why it
//! counts for nothing. The bytes are the saved plan's file, all of them: who signs has approved
//! the header too, so an approval ends with the plan.
//!
//! Taken are ed25519, ecdsa (nistp256, nistp384), rsa (with SHA-2) and their `sk-` forms, of which
//! a key on a token must say that somebody touched it. SHA-1 is not.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
};
use ssh_key::public::{KeyData, RsaPublicKey};
use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, Signature, SshSig};

use crate::model::ApproverKey;

/// What a signature must say that it is for, so that one made for something else counts for
/// nothing here.
pub const NAMESPACE: &str = "remit-plan";

/// The largest signature that is read. One by RSA with 8192 bits takes 3 KiB.
pub const SIGNATURE_BYTES_MAX: usize = 16 * 1024;

/// What a signature begins with.
const ARMOUR: &str = "-----BEGIN SSH SIGNATURE-----";

/// The flag by which a token says that somebody touched it.
const USER_PRESENT: u8 = 1;

/// What follows a token's signature: a byte of flags and a counter of four.
const TOKEN_TRAILER: usize = 5;

/// Checks a signature over `message`, and says whose it is.
pub fn verify(signature: &[u8], message: &[u8]) -> Result<ApproverKey, String> {
    if signature.len() > SIGNATURE_BYTES_MAX {
        return Err(format!("it has more than {SIGNATURE_BYTES_MAX} bytes"));
    }
    let text = std::str::from_utf8(signature).map_err(|_| no_signature())?;
    // OpenSSH takes no text before it.
    if !text.starts_with(ARMOUR) {
        return Err(no_signature());
    }
    let sig = SshSig::from_pem(text.trim_end()).map_err(|_| no_signature())?;
    if sig.namespace() != NAMESPACE {
        return Err(format!(
            "it was made for `{}`, not for `{NAMESPACE}`",
            remit_sdk::text::safe(sig.namespace())
        ));
    }
    let key = ApproverKey::of(sig.public_key(), "")?;
    let wrong = || format!("it is not by {} over this plan", key.fingerprint);
    match (sig.public_key(), sig.algorithm()) {
        (KeyData::Rsa(rsa), algorithm) => verify_rsa(rsa, &algorithm, &sig, message)?,
        (KeyData::SkEd25519(_), Algorithm::SkEd25519)
        | (KeyData::SkEcdsaSha2NistP256(_), Algorithm::SkEcdsaSha2NistP256) => {
            let bytes = sig.signature_bytes();
            let flags = bytes.len().checked_sub(TOKEN_TRAILER);
            let flags = flags.and_then(|at| bytes.get(at)).copied();
            if flags.unwrap_or_default() & USER_PRESENT == 0 {
                return Err("the token that made it was not touched".to_owned());
            }
            PublicKey::from(sig.public_key().clone())
                .verify(NAMESPACE, message, &sig)
                .map_err(|_| wrong())?;
        }
        (KeyData::Ed25519(_), Algorithm::Ed25519)
        | (KeyData::Ecdsa(_), Algorithm::Ecdsa { .. }) => PublicKey::from(sig.public_key().clone())
            .verify(NAMESPACE, message, &sig)
            .map_err(|_| wrong())?,
        _ => return Err("its algorithm is not its key's".to_owned()),
    }
    Ok(key)
}

fn no_signature() -> String {
    "it is no SSH signature".to_owned()
}

fn verify_rsa(
    key: &RsaPublicKey,
    algorithm: &Algorithm,
    sig: &SshSig,
    message: &[u8],
) -> Result<(), String> {
    let parameters = match algorithm {
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha256),
        } => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha512),
        } => &RSA_PKCS1_2048_8192_SHA512,
        _ => return Err("an RSA signature counts with SHA-256 or SHA-512 alone".to_owned()),
    };
    let wrong = || "it is not by its RSA key over this plan".to_owned();
    let (Some(n), Some(e)) = (key.n.as_positive_bytes(), key.e.as_positive_bytes()) else {
        return Err(wrong());
    };
    let signed = SshSig::signed_data(NAMESPACE, sig.hash_alg(), message).map_err(|_| wrong())?;
    RsaPublicKeyComponents { n, e }
        .verify(parameters, &signed, sig.signature_bytes())
        .map_err(|_| wrong())
}

/// What an agent is to sign for a message.
pub fn to_be_signed(message: &[u8]) -> Result<Vec<u8>, String> {
    SshSig::signed_data(NAMESPACE, HashAlg::Sha512, message).map_err(|error| error.to_string())
}

/// The text of a signature that an agent made over [`to_be_signed`]: `blob` is the algorithm and
/// the signature as the agent protocol has them.
pub fn from_agent(key: &KeyData, blob: &[u8]) -> Result<String, String> {
    let signature = Signature::try_from(blob).map_err(|_| "it made no signature".to_owned())?;
    SshSig::new(key.clone(), NAMESPACE, HashAlg::Sha512, signature)
        .and_then(|sig| sig.to_pem(LineEnding::LF))
        .map_err(|error| error.to_string())
}
