//! A signing key made on the spot, and real tokens signed with it.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value as Json, json};

/// An ES256 key pair, in PEM.
pub(crate) struct Keys {
    /// PKCS #8.
    pub(crate) private_pem: String,
    /// What an issuer publishes.
    pub(crate) public_pem: String,
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .filter_map(|at| text.get(at..(at + 64).min(text.len())))
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

impl Keys {
    /// A new pair.
    pub(crate) fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key pair");
        let private = pair.to_pkcs8v1().expect("PKCS #8");
        let public = pair.public_key().as_der().expect("a public key");
        Self {
            private_pem: pem("PRIVATE KEY", private.as_ref()),
            public_pem: pem("PUBLIC KEY", public.as_ref()),
        }
    }

    /// A token that lives `ttl` seconds from now; a negative one is expired.
    pub(crate) fn sign(
        &self,
        issuer: &str,
        subject: &str,
        audience: &str,
        ttl: i64,
        more: &Json,
    ) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock")
            .as_secs();
        let now = i64::try_from(now).expect("a time");
        let mut claims: Map<String, Json> = more.as_object().cloned().unwrap_or_default();
        claims.insert("iss".into(), json!(issuer));
        claims.insert("sub".into(), json!(subject));
        claims.insert("aud".into(), json!(audience));
        claims.insert("iat".into(), json!(now + ttl.min(0) * 2));
        claims.insert("exp".into(), json!(now + ttl));
        let key = EncodingKey::from_ec_pem(self.private_pem.as_bytes()).expect("the key reads");
        jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &key).expect("a token")
    }
}
