//! What `call_http` means: a request, its polls, and the attempts of each (spec 5.4).

use serde_json::Value;

use super::{Call, MICROS, Part, What, World};
use crate::replay::tests::program::{OTHER, SERVER, START};

/// The headers of a first request; of a poll at its own server; of one elsewhere.
const FIRST: &str = "authorization x-functions-key x-job";
const AGAIN: &str = "authorization x-job";
const ELSEWHERE: &str = "x-job";

/// The wait before a poll, in seconds, if the server names none.
const DEFAULT_WAIT: i64 = 30;

impl World {
    pub(super) fn request_first(&mut self, index: usize, post: bool) {
        let id = self.next_id();
        self.made[index].sends = if post {
            let key = format!("{}:{}:{id}", self.instance_id, self.execution_id);
            format!("POST {START} {key} {FIRST}")
        } else {
            format!("GET {START} - {FIRST}")
        };
        self.attempt(index, id);
    }

    /// A task of the call has a result: what the call gives, unless it is a request that goes on elsewhere.
    pub(super) fn completed(&mut self, index: usize, value: String) {
        let What::Call(Call::Http { polls, .. }) = self.made[index].what else {
            return self.finish(index, Ok(value));
        };
        let answer: Value = serde_json::from_str(&value).unwrap();
        let status = answer["statusCode"].as_u64().unwrap();
        let here = if self.made[index].sends.contains(OTHER) {
            OTHER
        } else {
            SERVER
        };
        let to = answer["headers"]["Location"].as_str();
        let to = to.and_then(|to| match to {
            _ if to.starts_with('/') => Some(format!("{here}{to}")),
            _ if to.starts_with("http:") => Some(to.to_owned()),
            // Nothing that a request could be sent to.
            _ => None,
        });
        let Some(to) = to.filter(|_| status == 202 && polls) else {
            let content = answer["content"].as_str().unwrap();
            return self.finish(index, Ok(format!("{status}:{content}")));
        };
        let wait = answer["headers"]["Retry-After"].as_str();
        let wait = wait.map_or(DEFAULT_WAIT, |seconds| seconds.parse().unwrap());
        let timer = self.next_id();
        self.timer(index, timer, wait * MICROS, Part::Poll);
        let headers = if to.starts_with(SERVER) {
            AGAIN
        } else {
            ELSEWHERE
        };
        self.made[index].sends = format!("GET {to} - {headers}");
        self.made[index].task = Some(timer);
    }

    /// A poll has attempts of its own.
    pub(super) fn poll_again(&mut self, index: usize) {
        let id = self.next_id();
        self.made[index].made = 1;
        self.made[index].since = self.now;
        self.attempt(index, id);
    }
}
