//! What goes over the wire: the Query protocol of IAM and STS, the JSON 1.1 of Secrets Manager.
//!
//! In: head and body of a request, or an action with its parameters. Out: a [`Call`], which can be
//! sent on to moto, and an [`Answer`], which can be written to the client: moto's, or an error in
//! the words and the form that AWS has for it.
//!
//! It must never decide anything, and never keep what is secret: [`Call::loggable`] is what may
//! stand in a log.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use serde_json::{Value as Json, json};

use crate::support::proxy;

/// Which of the three.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Service {
    Iam,
    Sts,
    Secrets,
}

/// A request, understood.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) action: String,
    /// Of a JSON request its fields: texts as they are, the others as JSON.
    pub(crate) parameters: BTreeMap<String, String>,
    /// The body of a JSON request.
    json: Option<String>,
    /// The header, which tells moto access key and region.
    authorization: Option<String>,
}

/// What comes back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    kind: &'static str,
}

const XML: &str = "text/xml";
const JSON: &str = "application/x-amz-json-1.1";
/// Parameters that hold what nobody else may see.
const SECRET: [&str; 4] = [
    "WebIdentityToken",
    "SecretString",
    "SecretBinary",
    "ClientRequestToken",
];

impl Call {
    /// A call in the Query protocol.
    pub(crate) fn query(service: Service, action: &str, parameters: &[(&str, &str)]) -> Self {
        Self {
            service,
            action: action.to_owned(),
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            json: None,
            authorization: None,
        }
    }

    /// A call of IAM.
    pub(crate) fn iam(action: &str, parameters: &[(&str, &str)]) -> Self {
        Self::query(Service::Iam, action, parameters)
    }

    /// A call of Secrets Manager.
    pub(crate) fn secrets(action: &str, body: &Json) -> Self {
        Self {
            service: Service::Secrets,
            action: action.to_owned(),
            parameters: fields(body),
            json: Some(body.to_string()),
            authorization: None,
        }
    }

    /// A request as it came in; `None` for what is neither protocol.
    pub(crate) fn read(head: &str, body: &[u8]) -> Option<Self> {
        let header = |wanted: &str| {
            head.lines()
                .skip(1)
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.trim().to_owned())
        };
        let body = String::from_utf8(body.to_vec()).ok()?;
        let mut call = if let Some(target) = header("x-amz-target") {
            let action = target.strip_prefix("secretsmanager.")?;
            Self::secrets(action, &serde_json::from_str(&body).ok()?)
        } else {
            let mut parameters: BTreeMap<String, String> = body
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect();
            let action = parameters.remove("Action")?;
            let service = match parameters.remove("Version")?.as_str() {
                "2010-05-08" => Service::Iam,
                "2011-06-15" => Service::Sts,
                _ => return None,
            };
            Self {
                service,
                action,
                parameters,
                json: None,
                authorization: None,
            }
        };
        call.authorization = header("authorization");
        Some(call)
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Whether it changes something.
    pub(crate) fn mutates(&self) -> bool {
        const READS: [&str; 6] = ["Get", "List", "Describe", "Simulate", "Generate", "Batch"];
        self.service != Service::Sts && !READS.iter().any(|verb| self.action.starts_with(verb))
    }

    /// Its parameters without what is secret.
    pub(crate) fn loggable(&self) -> BTreeMap<String, String> {
        let mut parameters = self.parameters.clone();
        parameters.retain(|name, _| !SECRET.contains(&name.as_str()));
        parameters
    }

    /// The same with every value passed through `change`.
    pub(crate) fn mapped(&self, change: impl Fn(&str) -> String) -> Self {
        Self {
            parameters: self
                .parameters
                .iter()
                .map(|(name, value)| (name.clone(), change(value)))
                .collect(),
            json: self.json.as_deref().map(&change),
            ..self.clone()
        }
    }

    /// The same with one parameter replaced; for the Query protocol.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.parameters.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        self.parameters
            .retain(|name, _| !names.contains(&name.as_str()));
        self
    }

    /// The same, as the owner of this access key sends it; for STS.
    pub(crate) fn signed_by(mut self, key: &str) -> Self {
        self.authorization = Some(authorization(key, "sts"));
        self
    }

    /// Head and body, as a client sends them.
    pub(crate) fn written(&self, account: Option<&str>) -> (String, String) {
        let (service, version) = match self.service {
            Service::Iam => ("iam", "2010-05-08"),
            Service::Sts => ("sts", "2011-06-15"),
            Service::Secrets => ("secretsmanager", ""),
        };
        let body = self.json.clone().unwrap_or_else(|| {
            let mut form = format!("Action={}&Version={version}", encode(&self.action));
            for (name, value) in &self.parameters {
                let _ = write!(form, "&{}={}", encode(name), encode(value));
            }
            form
        });
        let mut head = String::from("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n");
        let authorization = self
            .authorization
            .clone()
            .unwrap_or_else(|| authorization("AKIATEST", service));
        let _ = write!(head, "Authorization: {authorization}\r\n");
        if self.json.is_some() {
            let _ = write!(
                head,
                "Content-Type: {JSON}\r\nX-Amz-Target: secretsmanager.{}\r\n",
                self.action
            );
        } else {
            head.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
        }
        if let Some(account) = account {
            let _ = write!(head, "x-moto-account-id: {account}\r\n");
        }
        let _ = write!(head, "Content-Length: {}", body.len());
        (head, body)
    }

    /// Sends it; `account` is who moto takes the caller for.
    pub(crate) fn send(&self, address: &str, account: Option<&str>) -> io::Result<Answer> {
        let (head, body) = self.written(account);
        let answer = proxy::forward(address, &head, body.as_bytes())?;
        Answer::read(&String::from_utf8_lossy(&answer))
            .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
    }
}

/// The header of a signed request. The signature is none: nobody checks it.
fn authorization(key: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

/// The fields of a JSON object: texts as they are, the others as JSON.
fn fields(body: &Json) -> BTreeMap<String, String> {
    let text = |value: &Json| match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    body.as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

impl Answer {
    /// What a server sent; `None` where the connection broke off.
    fn read(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let json = head.to_ascii_lowercase().contains("json");
        Some(Self {
            status: head.get(9..12)?.parse().ok()?,
            body: body.to_owned(),
            kind: if json { JSON } else { XML },
        })
    }

    /// An error as this service words it.
    pub(crate) fn refusal(service: Service, status: u16, code: &str, message: &str) -> Self {
        if service == Service::Secrets {
            return Self {
                status,
                body: json!({"__type": code, "message": message}).to_string(),
                kind: JSON,
            };
        }
        let space = match service {
            Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            _ => "https://sts.amazonaws.com/doc/2011-06-15/",
        };
        let side = if status < 500 { "Sender" } else { "Receiver" };
        let message = super::xml::escape(message);
        Self {
            status,
            body: format!(
                "<ErrorResponse xmlns=\"{space}\"><Error><Type>{side}</Type><Code>{code}</Code>\
                 <Message>{message}</Message></Error><RequestId>shim</RequestId></ErrorResponse>"
            ),
            kind: XML,
        }
    }

    /// 200 with this text, as a middlebox answers.
    pub(crate) fn page(body: &str) -> Self {
        Self {
            status: 200,
            body: body.to_owned(),
            kind: "text/html",
        }
    }

    /// The same as XML.
    pub(crate) fn into_xml(self) -> Self {
        Self { kind: XML, ..self }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.status < 300
    }

    /// The same with its body passed through `change`.
    pub(crate) fn mapped(self, change: impl FnOnce(&str) -> String) -> Self {
        Self {
            body: change(&self.body),
            ..self
        }
    }

    /// The error's code; empty where there is none.
    pub(crate) fn code(&self) -> String {
        if self.is_ok() {
            return String::new();
        }
        super::xml::text(&self.body, "Code").unwrap_or_else(|| {
            let json: Json = serde_json::from_str(&self.body).unwrap_or_default();
            json["__type"].as_str().unwrap_or_default().to_owned()
        })
    }

    /// As bytes for the client.
    pub(crate) fn written(&self) -> Vec<u8> {
        format!(
            "HTTP/1.1 {} Answer\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
            self.status,
            self.kind,
            self.body.len(),
            self.body
        )
        .into_bytes()
    }
}

/// Percent-encoded as RFC 3986 has it, which is also how AWS encodes documents.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The text of a form's field.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = text
            .get(at + 1..at + 3)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (bytes[at], pair) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (b'+', _) => {
                decoded.push(b' ');
                at += 1;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[test]
fn a_form_survives_the_way_there() {
    let hard = "a b+c%d&e=f/ü\n\"{}";
    let call = Call::iam("PutRolePolicy", &[("PolicyDocument", hard)]);
    let (head, body) = call.written(None);
    let back = Call::read(&head, body.as_bytes()).unwrap();
    assert_eq!(back.get("PolicyDocument"), hard);
    assert_eq!(back.action, "PutRolePolicy");
    assert!(back.mutates());
    let call = Call::secrets(
        "GetSecretValue",
        &json!({"SecretId": "x", "SecretString": "y"}),
    );
    let (head, body) = call.written(Some("1"));
    let back = Call::read(&head, body.as_bytes()).unwrap();
    assert!(!back.mutates());
    assert_eq!(back.loggable().len(), 1);
}
