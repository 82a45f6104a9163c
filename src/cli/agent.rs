//! Talking to an SSH agent: which keys it holds, and a signature by one of them.
//!
//! In: the socket in `SSH_AUTH_SOCK`. Out: public keys, signatures. Two requests of the agent
//! protocol (draft-ietf-sshm-ssh-agent), a length and a byte before each. What an agent answers
//! is bounded and read as hostile; private keys never come here.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use ssh_key::PublicKey;
use ssh_key::public::KeyData;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// RSA with SHA-512; other keys' agents don't look at it.
const RSA_SHA2_512: u32 = 4;

/// OpenSSH's own limit for a message of an agent.
const MESSAGE_BYTES_MAX: u32 = 256 * 1024;

/// More keys than an SSH server would let anybody try.
const KEYS_MAX: u32 = 1024;

/// How long an agent may take: somebody has to find the token and touch it.
const PATIENCE: Duration = Duration::from_mins(2);

/// An agent.
pub(super) struct Agent {
    stream: UnixStream,
}

impl Agent {
    /// Connects to the agent behind a socket.
    pub(super) fn connect(socket: &Path) -> Result<Self, String> {
        let stream = UnixStream::connect(socket).map_err(|error| error.to_string())?;
        let set = stream
            .set_read_timeout(Some(PATIENCE))
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        set.map_err(|error| error.to_string())?;
        Ok(Self { stream })
    }

    /// The keys it holds that can be read; certificates and unknown types are passed over.
    pub(super) fn keys(&mut self) -> Result<Vec<(KeyData, String)>, String> {
        let answer = self.ask(REQUEST_IDENTITIES, &[], IDENTITIES_ANSWER)?;
        let mut rest = answer.as_slice();
        let number = number(&mut rest)?;
        if number > KEYS_MAX {
            return Err(format!("it says that it holds {number} keys"));
        }
        let mut keys = Vec::new();
        for _ in 0..number {
            let blob = string(&mut rest)?;
            let comment = String::from_utf8_lossy(string(&mut rest)?).into_owned();
            if let Ok(key) = PublicKey::from_bytes(blob) {
                keys.push((key.key_data().clone(), comment));
            }
        }
        Ok(keys)
    }

    /// A signature over `data`: the algorithm and the signature, as the protocol has them.
    pub(super) fn sign(&mut self, key: &KeyData, data: &[u8]) -> Result<Vec<u8>, String> {
        let blob = PublicKey::from(key.clone())
            .to_bytes()
            .map_err(|error| error.to_string())?;
        let mut body = Vec::new();
        put(&mut body, &blob)?;
        put(&mut body, data)?;
        body.extend(RSA_SHA2_512.to_be_bytes());
        let answer = self.ask(SIGN_REQUEST, &body, SIGN_RESPONSE)?;
        string(&mut answer.as_slice()).map(<[u8]>::to_vec)
    }

    fn ask(&mut self, kind: u8, body: &[u8], expected: u8) -> Result<Vec<u8>, String> {
        let io = |error: std::io::Error| error.to_string();
        let mut message = Vec::with_capacity(body.len() + 1);
        message.push(kind);
        message.extend(body);
        let mut framed = Vec::with_capacity(message.len() + 4);
        put(&mut framed, &message)?;
        self.stream.write_all(&framed).map_err(io)?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).map_err(io)?;
        let length = u32::from_be_bytes(length);
        if length == 0 || length > MESSAGE_BYTES_MAX {
            return Err(format!("its answer has {length} bytes"));
        }
        let mut answer = Vec::new();
        let read = (&self.stream)
            .take(u64::from(length))
            .read_to_end(&mut answer)
            .map_err(io)?;
        if u32::try_from(read) != Ok(length) {
            return Err("its answer is cut off".to_owned());
        }
        match answer.split_first() {
            Some((found, rest)) if *found == expected => Ok(rest.to_vec()),
            _ => Err("it refused".to_owned()),
        }
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), String> {
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|length| *length <= MESSAGE_BYTES_MAX);
    let length = length.ok_or("the message is too long for it")?;
    out.extend(length.to_be_bytes());
    out.extend(bytes);
    Ok(())
}

fn number(rest: &mut &[u8]) -> Result<u32, String> {
    let (bytes, after) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    *rest = after;
    Ok(u32::from_be_bytes(*bytes))
}

fn string<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let length = usize::try_from(number(rest)?).map_err(|_| cut())?;
    let (bytes, after) = rest.split_at_checked(length).ok_or_else(cut)?;
    *rest = after;
    Ok(bytes)
}

fn cut() -> String {
    "its answer can't be read".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An agent that answers with these bytes.
    fn answering(bytes: Vec<u8>) -> Agent {
        let (stream, mut other) = UnixStream::pair().unwrap();
        std::thread::spawn(move || {
            let _ = other.write_all(&bytes);
            // Until the question is read: closing before would break its pipe.
            let _ = other.shutdown(std::net::Shutdown::Write);
            let _ = std::io::copy(&mut other, &mut std::io::sink());
        });
        Agent { stream }
    }

    fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut message = vec![kind];
        message.extend(body);
        let mut out = Vec::new();
        put(&mut out, &message).unwrap();
        out
    }

    #[test]
    fn hostile_answers_are_refused() {
        let many = framed(IDENTITIES_ANSWER, &u32::MAX.to_be_bytes());
        let lying = framed(IDENTITIES_ANSWER, &[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
        for bytes in [
            many,
            lying,
            framed(5, &[]),
            framed(IDENTITIES_ANSWER, &[0, 0]),
            vec![0, 0, 0, 0],
            vec![0xff, 0xff, 0xff, 0xff, 12],
            vec![0, 0, 0, 9, 12, 0],
            vec![0],
        ] {
            assert!(answering(bytes.clone()).keys().is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_known_key_is_passed_over() {
        let mut body = 1_u32.to_be_bytes().to_vec();
        put(&mut body, b"whatever").unwrap();
        put(&mut body, b"comment").unwrap();
        let mut agent = answering(framed(IDENTITIES_ANSWER, &body));
        assert!(agent.keys().unwrap().is_empty());
    }
}
