//! The arguments of a function, and its result.

use crate::wire::Frame;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

pub struct Event {
    /// the unchanged body
    pub data: Vec<u8>,
    pub id: Option<String>,
    pub kind: Option<String>,
    pub time: Option<String>,
    pub namespace: Option<String>,
    /// attributes of a CloudEvent
    pub extensions: BTreeMap<String, String>,
    pub method: String,
    /// as received, not decoded
    pub path: String,
    pub query: Option<String>,
    pub address: Option<String>,
    headers: Vec<u8>,
    cancelled: Arc<AtomicBool>,
}

impl Event {
    pub(crate) fn new(frame: Frame, cancelled: Arc<AtomicBool>) -> Event {
        let Frame { mut line, head, body } = frame;
        Event {
            data: body,
            id: line.text("event-id"),
            kind: line.text("event-type"),
            time: line.text("event-time"),
            namespace: line.text("event-namespace"),
            extensions: line.texts("extensions"),
            method: line.text("method").unwrap_or_default(),
            path: line.text("path").unwrap_or_default(),
            query: line.text("query"),
            address: line.text("address"),
            headers: head,
            cancelled,
        }
    }

    /// Parses the body as JSON; an empty body is null.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let text: &[u8] = if self.data.is_empty() { b"null" } else { &self.data };
        Ok(serde_json::from_slice(text)?)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }

    /// Returns a header of the request. The case of the name does not matter.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.split(|&byte| byte == b'\n').find_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            if !line[..colon].eq_ignore_ascii_case(name.as_bytes()) {
                return None;
            }
            // ISO-8859-1 (2.5): each byte is the character with the same number.
            let value: String = line[colon + 1..].iter().map(|&byte| byte as char).collect();
            Some(value.trim().to_owned())
        })
    }

    /// Returns a decoded value of the query.
    pub fn query_value(&self, name: &str) -> Option<String> {
        let pairs = self.query.as_deref()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.map(|(key, value)| (decoded(key), decoded(value))).find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Returns whether the call was cancelled (6.1). A long call should check this and end.
    pub fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, more)) = rest.split_first() {
        rest = more;
        let hex = more.get(..2).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &more[2..];
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub struct Context {
    pub function_name: String,
    /// in seconds
    pub timeout: String,
    pub runtime: String,
    pub memory_limit: String,
}

/// The reason why a call failed. `?` converts any error, `into()` any text.
pub struct Failure(pub String);

impl<E: Display> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure(error.to_string())
    }
}

pub type Outcome = Result<Answer, Failure>;

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

pub enum Body {
    Bytes(Vec<u8>),
    /// each piece is sent at once
    Stream(Box<dyn Iterator<Item = Result<Vec<u8>, Failure>>>),
}

impl Answer {
    fn new(body: Body, content_type: &str) -> Answer {
        Answer { status: 200, headers: vec![("Content-Type".into(), content_type.into())], body }
    }

    pub fn stream(pieces: impl Iterator<Item = Result<Vec<u8>, Failure>> + 'static) -> Answer {
        Answer::new(Body::Stream(Box::new(pieces)), "application/octet-stream")
    }

    pub fn status(mut self, status: u16) -> Answer {
        self.status = status;
        self
    }

    /// Adds a header. Content-Type replaces the default.
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        if name.eq_ignore_ascii_case("content-type") {
            self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        }
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Returns the head (2.5), or an error if a header cannot be sent (4.4).
    pub(crate) fn head(&self) -> Result<String, String> {
        if !(200..=999).contains(&self.status) {
            return Err(format!("the status {} is not one from 200 to 999", self.status));
        }
        let mut head = String::with_capacity(64);
        for (name, value) in &self.headers {
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)) {
                return Err(format!("{:?} is no header's name", name));
            }
            if !value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
                return Err(format!("the header {} holds {:?}", name, value));
            }
            write!(head, "{}: {}\r\n", name, value).unwrap();
        }
        Ok(head)
    }
}

impl From<&str> for Answer {
    fn from(text: &str) -> Answer {
        text.to_owned().into()
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Answer {
        Answer::new(Body::Bytes(text.into_bytes()), "text/plain; charset=utf-8")
    }
}

impl From<Vec<u8>> for Answer {
    fn from(bytes: Vec<u8>) -> Answer {
        Answer::new(Body::Bytes(bytes), "application/octet-stream")
    }
}

impl From<Value> for Answer {
    fn from(value: Value) -> Answer {
        Answer::new(Body::Bytes(value.to_string().into_bytes()), "application/json")
    }
}
