//! Changes that spread slowly: reads are answered by a second account that follows the first.
//!
//! In: every change moto accepted, with the moment it is to be seen. Out: the answers of an account
//! in which that moment has come. Ids that moto makes at random differ between the two, so they
//! are translated, and the account's number is.
//!
//! It must never be written to by anything but the changes of the first account, in their order.

use std::collections::VecDeque;
use std::time::Instant;

use serde_json::Value as Json;

use super::wire::{Answer, Call};
use super::xml;

/// Elements of an answer that moto makes up.
const MADE_UP: [&str; 6] = [
    "RoleId",
    "UserId",
    "GroupId",
    "InstanceProfileId",
    "PolicyId",
    "AccessKeyId",
];

/// The second account.
pub(crate) struct Follower {
    leader: String,
    account: String,
    waiting: VecDeque<(Instant, Call, Vec<String>)>,
    /// What is called so in the first account, and so in the second.
    pairs: Vec<(String, String)>,
}

impl Follower {
    pub(crate) fn new(leader: &str, account: &str) -> Self {
        Self {
            leader: leader.to_owned(),
            account: account.to_owned(),
            waiting: VecDeque::new(),
            pairs: Vec::new(),
        }
    }

    /// Takes note of a change that is to be seen from `due` on.
    pub(crate) fn follow(&mut self, due: Instant, call: &Call, answer: &Answer) {
        self.waiting
            .push_back((due, call.clone(), made_up(&answer.body)));
    }

    /// Makes the changes whose moment has come.
    pub(crate) fn catch_up(
        &mut self,
        now: Instant,
        send: &dyn Fn(&Call, &str) -> std::io::Result<Answer>,
    ) -> std::io::Result<()> {
        while self.waiting.front().is_some_and(|(due, ..)| *due <= now) {
            let Some((_, call, leaders)) = self.waiting.pop_front() else {
                break;
            };
            let answer = send(&call.mapped(|text| self.there(text)), &self.account)?;
            assert!(
                answer.is_ok(),
                "{} was accepted once and not twice: {}",
                call.action,
                answer.body
            );
            self.pairs
                .extend(leaders.into_iter().zip(made_up(&answer.body)));
        }
        Ok(())
    }

    /// What a read gives by now.
    pub(crate) fn read(
        &self,
        call: &Call,
        send: &dyn Fn(&Call, &str) -> std::io::Result<Answer>,
    ) -> std::io::Result<Answer> {
        let answer = send(&call.mapped(|text| self.there(text)), &self.account)?;
        Ok(answer.mapped(|text| self.back(text)))
    }

    fn there(&self, text: &str) -> String {
        let text = text.replace(&self.leader, &self.account);
        self.pairs
            .iter()
            .fold(text, |text, (ours, theirs)| text.replace(ours, theirs))
    }

    fn back(&self, text: &str) -> String {
        let text = text.replace(&self.account, &self.leader);
        self.pairs
            .iter()
            .fold(text, |text, (ours, theirs)| text.replace(theirs, ours))
    }
}

/// What moto made up in an answer, in a fixed order. Of a secret's ARN only the end is.
fn made_up(body: &str) -> Vec<String> {
    if let Ok(json) = serde_json::from_str::<Json>(body) {
        let end = json["ARN"]
            .as_str()
            .and_then(|arn| arn.rsplit_once(':'))
            .map(|(_, name)| name.to_owned());
        let version = json["VersionId"].as_str().map(str::to_owned);
        return end.into_iter().chain(version).collect();
    }
    MADE_UP
        .iter()
        .filter_map(|name| xml::text(body, name))
        .collect()
}
