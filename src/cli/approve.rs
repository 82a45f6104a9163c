//! `remit approve PLAN`: shows a saved plan and signs it.
//!
//! In: a saved plan, and a private key's file or an SSH agent. Out: a signature beside the plan, as
//! `ssh-keygen -Y sign -n remit-plan` makes it. Nothing is contacted, and no configuration read:
//! who may approve stands in the plan, and is looked at again when the plan is applied.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use remit_sdk::{Diagnostic, text};
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey};
use zeroize::Zeroizing;

use super::agent::Agent;
use super::{
    Global, Outcome, apply, ask, passphrase, plain_file, plan, providers, session, signatures,
};
use crate::gate::signature::NAMESPACE;
use crate::gate::{self, Requirement, Review, Signatures};
use crate::model::ApproverKey;
use crate::view;
use crate::view::plan::Look;
use crate::view::report::{DONE, ERROR};

/// The largest key file that is read. A private RSA key of 8192 bits takes 7 KiB.
const KEY_BYTES_MAX: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(super) struct Approve {
    /// The saved plan
    #[arg(value_name = "PLAN")]
    file: PathBuf,
    /// An OpenSSH private key; or a public one, to sign with by the agent. Without it, the agent signs
    /// with a key that may approve
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// What signs.
enum Signer {
    /// A private key.
    Key(Box<PrivateKey>),
    /// The agent, with this key alone or with any that fits.
    Agent(Option<ApproverKey>),
}

impl Approve {
    pub(super) async fn run(self, global: &Global) -> Outcome {
        let (saved, bytes) = plan::read(&self.file)?;
        apply::expired(&saved)?;
        let approvals = &saved.body.approvals;
        if approvals.is_empty() {
            return Err(one("plan needs no approval", "it can be applied as it is"));
        }
        let signed = signatures::check(&self.file, &bytes)?;
        global.report(&signatures::warnings(&signed));
        let look = Look {
            catalog: providers::catalog(),
            paint: global.output.paint(),
        };
        global.output.data(&format!(
            "{}\n{}",
            view::plan::saved(&saved.header),
            view::plan::people(&saved.body, look)
        ));
        // Whoever is there has seen it only now.
        if ask::is_possible() && !ask::agrees("Sign this plan?", "").await? {
            global.say("Not signed.\n");
            return Ok(ERROR);
        }
        let signer = match &self.key {
            Some(path) => read_key(path).await?,
            None => Signer::Agent(None),
        };
        let (key, signature) = sign(signer, &saved.body, &signed, &bytes).await?;
        // What was made is what will be read, or it isn't written.
        let proven = gate::signature::verify(signature.as_bytes(), &bytes);
        if proven.map(|proven| proven.text) != Ok(key.text.clone()) {
            return Err(one(
                "plan can't be signed",
                "the signature made doesn't hold",
            ));
        }
        let path = signatures::write(&self.file, &key.fingerprint, &signature)?;
        global.say(&format!(
            "Approved by {}, signature in {}\n",
            key.shown(),
            text::safe(&path.display().to_string())
        ));
        let signed = signatures::check(&self.file, &bytes)?;
        global.say(&missing(approvals, &signed, &self.file));
        Ok(DONE)
    }
}

/// What is still missing, or how to go on.
fn missing(approvals: &[Requirement], signed: &Signatures, plan: &Path) -> String {
    let file = text::safe(&plan.display().to_string());
    let missing = gate::missing(approvals, signed);
    if missing.is_empty() {
        return format!("Nothing is missing: remit apply {file}\n");
    }
    let mut out = "Still missing:\n".to_owned();
    for one in missing {
        let number = view::count(one.more(), "approval");
        let _ = writeln!(out, "  {number}: {}", text::safe(&one.requirement.why));
    }
    out
}

fn one(summary: &'static str, detail: impl Into<String>) -> Vec<Diagnostic> {
    vec![Diagnostic::error(summary, detail)]
}

/// Reads the file of a private or a public key.
async fn read_key(path: &Path) -> Result<Signer, Vec<Diagnostic>> {
    let shown = text::safe(&path.display().to_string());
    let fail = |why: String| one("key can't be read", format!("{shown}: {why}"));
    let file = plain_file::open(path).map_err(|error| fail(error.to_string()))?;
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let room = usize::try_from(KEY_BYTES_MAX).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(room + 1));
    file.take(KEY_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| fail(error.to_string()))?;
    if text.len() > room {
        return Err(fail(format!("it holds more than {KEY_BYTES_MAX} bytes")));
    }
    if let Ok(public) = PublicKey::from_openssh(&text) {
        let key = ApproverKey::of(public.key_data(), public.comment()).map_err(fail)?;
        return Ok(Signer::Agent(Some(key)));
    }
    let key = PrivateKey::from_openssh(text.as_bytes())
        .map_err(|_| fail("it is no OpenSSH private key".to_owned()))?;
    if !key.is_encrypted() {
        return Ok(Signer::Key(Box::new(key)));
    }
    let question = format!("Passphrase of {shown}: ");
    let passphrase = passphrase::ask(&question).await.map_err(fail)?;
    let opened = tokio::task::spawn_blocking(move || key.decrypt(passphrase.expose())).await;
    match opened {
        Ok(Ok(key)) => Ok(Signer::Key(Box::new(key))),
        _ => Err(fail("the passphrase doesn't open it".to_owned())),
    }
}

/// Refuses a key that is no approver, or has approved already.
fn fits(key: &ApproverKey, review: &Review, signed: &Signatures) -> Result<(), Vec<Diagnostic>> {
    if !may(&review.approvals).contains(&key.text) {
        return Err(vec![
            Diagnostic::error(
                "not an approver of this plan",
                format!("{} is none of those who may approve it", key.shown()),
            )
            .help(who(review)),
        ]);
    }
    if signed.by.contains_key(&key.text) {
        return Err(one(
            "plan is approved by this key already",
            format!(
                "a second signature by {} would count for nothing",
                key.shown()
            ),
        ));
    }
    Ok(())
}

fn may(approvals: &[Requirement]) -> BTreeSet<String> {
    let all = approvals.iter().flat_map(|one| &one.approvers);
    all.cloned().collect()
}

fn who(review: &Review) -> String {
    let keys = gate::listed(&may(&review.approvals), &review.people);
    format!("these may:\n  {}", keys.join("\n  "))
}

async fn sign(
    signer: Signer,
    review: &Review,
    signed: &Signatures,
    bytes: &[u8],
) -> Result<(ApproverKey, String), Vec<Diagnostic>> {
    const AGENT: &str = "put the key into an agent and let that sign: ssh-add FILE, then remit \
                         approve without --key; or ssh-keygen -Y sign -n remit-plan -f FILE PLAN";
    let fail = |why: String| one("plan can't be signed", why);
    match signer {
        Signer::Key(private) => {
            let public = private.public_key();
            let key = ApproverKey::of(public.key_data(), private.comment()).map_err(fail)?;
            fits(&key, review, signed)?;
            let signature = private
                .sign(NAMESPACE, HashAlg::Sha512, bytes)
                .and_then(|signature| signature.to_pem(LineEnding::LF));
            match signature {
                Ok(signature) => Ok((key, signature)),
                Err(_) => Err(vec![
                    Diagnostic::error(
                        "plan can't be signed",
                        format!(
                            "a `{}` key from a file isn't used by itself",
                            public.algorithm()
                        ),
                    )
                    .help(AGENT),
                ]),
            }
        }
        Signer::Agent(wanted) => {
            if let Some(key) = &wanted {
                fits(key, review, signed)?;
            }
            let socket = session::environment("SSH_AUTH_SOCK").filter(|path| !path.is_empty());
            let Some(socket) = socket else {
                return Err(vec![
                    Diagnostic::error("nothing to sign with", "SSH_AUTH_SOCK names no SSH agent")
                        .help("start one (ssh-agent, ssh-add), or say --key FILE"),
                ]);
            };
            let asked = (may(&review.approvals), signed.clone(), bytes.to_vec());
            let signing = tokio::task::spawn_blocking(move || {
                let (may, signed, bytes) = asked;
                by_agent(Path::new(&socket), wanted.as_ref(), &may, &signed, &bytes)
            });
            match signing.await {
                Ok(Ok(Some(made))) => Ok(made),
                Ok(Ok(None)) => Err(vec![
                    Diagnostic::error(
                        "no approver's key in the agent",
                        "it holds no key that may approve this plan and hasn't yet",
                    )
                    .help(who(review)),
                ]),
                Ok(Err(why)) => Err(fail(format!("the SSH agent: {}", text::safe(&why)))),
                Err(_) => Err(fail("the thread that waited for it ended".to_owned())),
            }
        }
    }
}

/// A signature by the agent: by the key that is wanted, or by the first that may and hasn't yet.
fn by_agent(
    socket: &Path,
    wanted: Option<&ApproverKey>,
    may: &BTreeSet<String>,
    signed: &Signatures,
    bytes: &[u8],
) -> Result<Option<(ApproverKey, String)>, String> {
    let mut agent = Agent::connect(socket)?;
    for (data, comment) in agent.keys()? {
        let Ok(key) = ApproverKey::of(&data, &comment) else {
            continue;
        };
        let is_wanted = wanted.is_none_or(|wanted| wanted.text == key.text);
        if !is_wanted || !may.contains(&key.text) || signed.by.contains_key(&key.text) {
            continue;
        }
        let blob = agent.sign(&data, &gate::signature::to_be_signed(bytes)?)?;
        let signature = gate::signature::from_agent(&data, &blob)?;
        return Ok(Some((key, signature)));
    }
    Ok(None)
}
