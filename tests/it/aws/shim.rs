//! A strict AWS: a proxy in front of moto that adds what moto lacks.
//!
//! In: requests of IAM, STS (Query protocol) and Secrets Manager (JSON) over plain HTTP. Out: moto's
//! answers, and AWS's refusals where moto would have let something through: see [`check`]. Changes
//! can spread slowly ([`lag`]), listings come in pages ([`page`]), web identities are judged
//! ([`token`]), a removed principal leaves its unique id in trust policies. Rules ([`fault`]) throttle, lose or
//! falsify what they fit. Every request of the program under test is logged; what a test does itself
//! ([`Shim::theirs`]) is not, and meets no fault.
//!
//! Each shim has an account of its own in the one shared moto. Signatures are not checked.

pub(crate) mod check;
pub(crate) mod document;
pub(crate) mod fault;
mod lag;
pub(crate) mod ledger;
mod page;
mod token;
pub(crate) mod wire;
pub(crate) mod xml;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use self::fault::{Bucket, Fault, Rule, Said};
use self::lag::Follower;
use self::ledger::Ledger;
use self::page::Pages;
use self::wire::{Answer, Call, Service};
use super::moto;
use crate::support::proxy;

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) service: Service,
    pub(crate) action: String,
    /// Without what is secret.
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) mutating: bool,
    /// What was answered; 0 where nothing was.
    pub(crate) status: u16,
    /// Since the shim's start.
    pub(crate) at: Duration,
}

impl Asked {
    /// Of `GetAccountAuthorizationDetails` and `ListRoles` every page but the first is one more.
    pub(crate) fn is_page(&self) -> bool {
        self.parameters.contains_key("Marker") || self.parameters.contains_key("NextToken")
    }
}

/// A running shim. Its threads end with the process; clones are the same one.
#[derive(Clone)]
pub(crate) struct Shim(Arc<Inner>);

struct Inner {
    port: u16,
    account: String,
    moto: String,
    began: Instant,
    state: Mutex<State>,
    rules: Mutex<Vec<Rule>>,
    bucket: Mutex<Option<Bucket>>,
    log: Mutex<Vec<Asked>>,
}

struct State {
    ledger: Ledger,
    pages: Pages,
    lag: Duration,
    follower: Option<Follower>,
    /// Public keys of issuers, in PEM, by the issuer's URL.
    keys: BTreeMap<String, String>,
}

/// Account numbers that look like none of anybody's.
fn account(first: char, number: usize) -> String {
    format!("{first}47{number:09}")
}

impl Shim {
    /// Whose changes are seen at once.
    pub(crate) fn start() -> Self {
        Self::new(None)
    }

    /// Whose changes are seen `lag` later.
    pub(crate) fn lagging(lag: Duration) -> Self {
        Self::new(Some(lag))
    }

    fn new(lag: Option<Duration>) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = account('1', number);
        let follower = lag.map(|_| Follower::new(&own, &account('9', number)));
        let shim = Self(Arc::new(Inner {
            port: listener.local_addr().unwrap().port(),
            account: own,
            moto: moto::shared().address(),
            began: Instant::now(),
            state: Mutex::new(State {
                ledger: Ledger::default(),
                pages: Pages::default(),
                lag: lag.unwrap_or_default(),
                follower,
                keys: BTreeMap::new(),
            }),
            rules: Mutex::default(),
            bucket: Mutex::default(),
            log: Mutex::default(),
        }));
        let served = shim.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shim = served.clone();
                std::thread::spawn(move || {
                    // A client that goes away is no fault of the shim's.
                    let _ = shim.serve(stream);
                });
            }
        });
        shim
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.0.port)
    }

    pub(crate) fn account(&self) -> &str {
        &self.0.account
    }

    /// The ARN of something of IAM in this account.
    pub(crate) fn arn(&self, what: &str) -> String {
        format!("arn:aws:iam::{}:{what}", self.0.account)
    }

    /// From now on changes are seen this much later; only for a shim that was made lagging.
    pub(crate) fn set_lag(&self, lag: Duration) {
        let mut state = self.state();
        assert!(state.follower.is_some(), "this shim was not made lagging");
        state.lag = lag;
    }

    /// Registers what an issuer signs with.
    pub(crate) fn trust_key(&self, issuer: &str, public_pem: &str) {
        let mut state = self.state();
        state.keys.insert(issuer.to_owned(), public_pem.to_owned());
    }

    /// A principal of another account exists.
    pub(crate) fn knows(&self, principal: &str) {
        self.state().ledger.abroad.insert(principal.to_owned());
    }

    /// Adds a fault; the first that fits a request counts.
    pub(crate) fn rule(&self, rule: Rule) {
        self.0.rules.lock().unwrap().push(rule);
    }

    /// More than so many requests at once, or so many a second, are too many.
    pub(crate) fn limit(&self, per_second: f64, at_once: f64) {
        *self.0.bucket.lock().unwrap() = Some(Bucket::new(per_second, at_once));
    }

    /// All goes its way again.
    pub(crate) fn heal(&self) {
        self.0.rules.lock().unwrap().clear();
        *self.0.bucket.lock().unwrap() = None;
    }

    pub(crate) fn log(&self) -> Vec<Asked> {
        self.0.log.lock().unwrap().clone()
    }

    /// What was asked since the last call of this.
    pub(crate) fn take_log(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.0.log.lock().unwrap())
    }

    /// The changes that were asked for.
    pub(crate) fn writes(&self) -> Vec<Asked> {
        let mut log = self.log();
        log.retain(|asked| asked.mutating);
        log
    }

    /// A request of somebody else: not logged, no faults.
    pub(crate) fn theirs(&self, call: &Call) -> Answer {
        self.handle(call).unwrap()
    }

    /// A change in IAM by somebody else, which must succeed.
    pub(crate) fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let answer = self.theirs(&Call::iam(action, parameters));
        assert!(
            answer.is_ok(),
            "{action}: {} {}",
            answer.status,
            answer.body
        );
        answer.body
    }

    /// A change in Secrets Manager by somebody else, which must succeed.
    pub(crate) fn secrets(&self, action: &str, body: &Json) -> Json {
        let answer = self.theirs(&Call::secrets(action, body));
        assert!(
            answer.is_ok(),
            "{action}: {} {}",
            answer.status,
            answer.body
        );
        serde_json::from_str(&answer.body).unwrap()
    }

    /// A request over the network, as the program under test makes it; `None` where the connection
    /// was dropped.
    pub(crate) fn ask(&self, call: &Call) -> Option<Answer> {
        let address = self.address();
        call.send(address.trim_start_matches("http://"), None).ok()
    }

    /// Everything the account holds, one thing an entry, in order.
    pub(crate) fn dump(&self) -> Vec<String> {
        let ask = |call: Call| self.forward(&call, &self.0.account).unwrap().body;
        let mut all = Vec::new();
        let details = ask(Call::iam("GetAccountAuthorizationDetails", &[]));
        for list in [
            "UserDetailList",
            "GroupDetailList",
            "RoleDetailList",
            "Policies",
        ] {
            all.extend(xml::members(&details, list).into_iter().map(str::to_owned));
        }
        let profiles = ask(Call::iam("ListInstanceProfiles", &[]));
        let profiles = xml::members(&profiles, "InstanceProfiles");
        all.extend(profiles.into_iter().map(str::to_owned));
        let providers = ask(Call::iam("ListOpenIDConnectProviders", &[]));
        for provider in xml::members(&providers, "OpenIDConnectProviderList") {
            let arn = xml::text(provider, "Arn").unwrap();
            let told = ask(Call::iam(
                "GetOpenIDConnectProvider",
                &[("OpenIDConnectProviderArn", &arn)],
            ));
            let told = xml::inner(&told, "GetOpenIDConnectProviderResult");
            all.push(format!("{arn} {}", told.unwrap_or_default()));
        }
        let secrets = ask(Call::secrets("ListSecrets", &json!({"MaxResults": 100})));
        let secrets: Json = serde_json::from_str(&secrets).unwrap();
        for secret in secrets["SecretList"].as_array().into_iter().flatten() {
            let name = json!({"SecretId": secret["Name"]});
            let policy = ask(Call::secrets("GetResourcePolicy", &name));
            all.push(format!("{secret} {policy}"));
        }
        all.sort();
        all
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_read_timeout(Some(proxy::PATIENCE))?;
        let Some((head, body)) = proxy::request(&mut client)? else {
            return Ok(());
        };
        let Some(call) = Call::read(&head, &body) else {
            let unknown = Answer::refusal(Service::Iam, 400, "InvalidAction", "not understood");
            return client.write_all(&unknown.written());
        };
        let number = {
            let mut log = self.0.log.lock().unwrap();
            log.push(Asked {
                service: call.service,
                action: call.action.clone(),
                parameters: call.loggable(),
                mutating: call.mutates(),
                status: 0,
                at: self.0.began.elapsed(),
            });
            log.len() - 1
        };
        let fault = {
            let rules = self.0.rules.lock().unwrap();
            rules
                .iter()
                .find(|rule| rule.fits(&call))
                .map(|rule| rule.fault.clone())
        };
        let has_room = match &mut *self.0.bucket.lock().unwrap() {
            Some(bucket) => bucket.take(Instant::now()),
            None => true,
        };
        let fault = fault.or((!has_room).then_some(Fault::Said(Said::Throttled)));
        let answer = match fault {
            None => Some(self.handle(&call)?),
            Some(Fault::LostRequest) => None,
            Some(Fault::LostAnswer) => {
                self.handle(&call)?;
                None
            }
            Some(Fault::Meanwhile(act)) => {
                act();
                Some(self.handle(&call)?)
            }
            Some(Fault::Slow(time)) => {
                std::thread::sleep(time);
                Some(self.handle(&call)?)
            }
            Some(Fault::Said(how)) => Some(how.answer(&call)),
        };
        let Some(answer) = answer else {
            return Ok(());
        };
        if let Some(asked) = self.0.log.lock().unwrap().get_mut(number) {
            asked.status = answer.status;
        }
        client.write_all(&answer.written())
    }

    /// One call at a time: moto takes no care of requests that overlap.
    fn handle(&self, call: &Call) -> io::Result<Answer> {
        let mut state = self.state();
        if call.mutates() {
            self.change(&mut state, call)
        } else {
            self.read(&mut state, call)
        }
    }

    fn forward(&self, call: &Call, account: &str) -> io::Result<Answer> {
        call.send(&self.0.moto, Some(account))
    }

    fn change(&self, state: &mut State, call: &Call) -> io::Result<Answer> {
        let now = Instant::now();
        let ask = |call: &Call| self.forward(call, &self.0.account).unwrap();
        let call = match check::check(call, &state.ledger, &ask, now) {
            Ok(call) => call,
            Err(refused) => return Ok(refused),
        };
        let gone = match call.action.as_str() {
            "DeleteRole" => state.ledger.named(ledger::Sort::Role, call.get("RoleName")),
            "DeleteUser" => state.ledger.named(ledger::Sort::User, call.get("UserName")),
            _ => None,
        };
        let gone = gone.map(|entity| (entity.arn.clone(), entity.id.clone()));
        let answer = self.forward(&call, &self.0.account)?;
        if !answer.is_ok() {
            return Ok(answer);
        }
        Self::took_place(state, &call, &answer, now);
        if let Some((arn, id)) = gone {
            self.leave_id(state, &arn, &id, now)?;
        }
        Ok(answer.mapped(xml::with_documents_encoded))
    }

    fn took_place(state: &mut State, call: &Call, answer: &Answer, now: Instant) {
        let due = now + state.lag;
        state.ledger.note(call, answer, due);
        if let Some(follower) = &mut state.follower {
            follower.follow(due, call, answer);
        }
    }

    /// A policy that names a principal holds on to its unique id: that is what it tells once the
    /// principal is gone, whoever gets the name next.
    fn leave_id(&self, state: &mut State, arn: &str, id: &str, now: Instant) -> io::Result<()> {
        let (named, unique) = (format!("\"{arn}\""), format!("\"{id}\""));
        let mut calls = Vec::new();
        for entity in state.ledger.entities.values() {
            if entity.trust.contains(&named) {
                let trust = entity.trust.replace(&named, &unique);
                calls.push(Call::iam(
                    "UpdateAssumeRolePolicy",
                    &[("RoleName", &entity.name), ("PolicyDocument", &trust)],
                ));
            }
        }
        for (secret, policy) in &state.ledger.secrets {
            if policy.contains(&named) {
                let policy = policy.replace(&named, &unique);
                let body = json!({"SecretId": secret, "ResourcePolicy": policy});
                calls.push(Call::secrets("PutResourcePolicy", &body));
            }
        }
        for call in calls {
            let answer = self.forward(&call, &self.0.account)?;
            assert!(answer.is_ok(), "{}: {}", call.action, answer.body);
            Self::took_place(state, &call, &answer, now);
        }
        Ok(())
    }

    fn read(&self, state: &mut State, call: &Call) -> io::Result<Answer> {
        let send = |call: &Call, account: &str| self.forward(call, account);
        let State {
            follower,
            pages,
            keys,
            ..
        } = state;
        if let Some(follower) = follower.as_mut() {
            follower.catch_up(Instant::now(), &send)?;
        }
        // What Secrets Manager tells of one secret is always so; its listing follows.
        let follows = call.service == Service::Iam || call.action == "ListSecrets";
        let tell = |call: &Call| match &*follower {
            Some(follower) if follows => follower.read(call, &send),
            _ => send(call, &self.0.account),
        };
        if call.action == "AssumeRoleWithWebIdentity" {
            let spread = |call: &Call| match &*follower {
                Some(follower) => follower.read(call, &send).unwrap(),
                None => send(call, &self.0.account).unwrap(),
            };
            if let Err(refused) = token::check(call, &self.0.account, keys, &spread) {
                return Ok(refused);
            }
        }
        let answer = if Pages::concern(call) {
            pages.page(call, tell)?
        } else {
            tell(call)?
        };
        Ok(answer.mapped(xml::with_documents_encoded))
    }
}
