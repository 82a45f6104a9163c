//! Against a server on loopback that answers from a script: what is sent, how often, and what
//! becomes of a lost answer.
//!
//! In comes a script, one act for each request, out goes what was asked for in which order. A
//! request that the script doesn't foresee is refused and stands in the log.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;

use aws_credential_types::Credentials;
use aws_sdk_iam::config::SharedCredentialsProvider;

use super::*;

/// What the server does with one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Answer(u16, &'static str),
    /// Takes the request and says nothing.
    Drop,
}

/// A server that plays a script, one act a request, and keeps what it was asked.
pub(crate) struct Server {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(script: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, script) = (Arc::clone(&asked), script.to_vec());
        std::thread::spawn(move || {
            let mut script = script.into_iter();
            while let Ok((mut stream, _)) = listener.accept() {
                let body = request(&mut stream);
                log.lock().unwrap().push(body);
                // A request more than foreseen is refused, and seen in the log.
                let act = script.next().unwrap_or(Act::Answer(400, ""));
                if let Act::Answer(status, body) = act {
                    let length = body.len();
                    let head = format!(
                        "HTTP/1.1 {status} x\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                    );
                    let _ = stream.write_all(head.as_bytes());
                }
            }
        });
        Self { port, asked }
    }

    /// The actions that were asked for.
    pub(crate) fn actions(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|body| {
                let field = body.split('&').find_map(|one| one.strip_prefix("Action="));
                field.unwrap_or(body).to_owned()
            })
            .collect()
    }
}

/// One request's body.
fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).unwrap_or(0);
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return body.to_owned();
            }
        }
        if read == 0 {
            return text;
        }
    }
}

/// A client of the server, with credentials of nobody.
pub(crate) fn client(server: &Server) -> Client {
    let settings = Settings {
        instance: "aws".into(),
        prefix: "remit-".into(),
        region: "eu-west-1".into(),
        account: "123456789012".into(),
        profile: None,
        endpoint: Some(format!("http://127.0.0.1:{}", server.port)),
        assume_role: None,
        exclusive_policies: false,
        span: None,
    };
    let client = Client::new(settings, &|_| None).unwrap();
    let nobody = Credentials::new("AKIANOBODY", "nothing", None, None, "test");
    let shared = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .http_client(client.http.clone())
        .credentials_provider(SharedCredentialsProvider::new(nobody))
        .build();
    assert!(client.sdk.set(client.sdk_of(&shared)).is_ok());
    client
}

pub(crate) const CALLER: &str = r"<GetCallerIdentityResponse><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>AIDA</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>";

const OTHER_CALLER: &str = r"<GetCallerIdentityResponse><GetCallerIdentityResult>
<Arn>arn:aws:iam::210987654321:user/me</Arn><UserId>AIDA</UserId><Account>210987654321</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>";

const ROLE: &str = r"<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>x</RoleName>
<RoleId>AROA</RoleId><Arn>arn:aws:iam::123456789012:role/x</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>
</Role></GetRoleResult></GetRoleResponse>";

const THROTTLED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>";

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}

async fn get_role(client: &Client) -> Result<(), Failure> {
    let sdk = client.sdk().await?;
    client
        .read("iam:GetRole", || sdk.iam.get_role().role_name("x").send())
        .await
        .map(drop)
}

async fn delete_role(client: &Client) -> Result<(), Failure> {
    let sdk = client.sdk().await?;
    let delete = sdk.iam.delete_role().role_name("x");
    client
        .write("iam:DeleteRole", || delete.clone().send())
        .await
        .map(drop)
}

#[test]
fn nothing_is_sent_to_another_account() {
    let server = Server::start(&[
        Act::Answer(200, OTHER_CALLER),
        Act::Answer(200, OTHER_CALLER),
    ]);
    let client = client(&server);
    let error = run(client.target()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    for says in ["210987654321", "123456789012", "user/me"] {
        assert!(error.message.contains(says), "{}", error.message);
    }
    assert!(run(get_role(&client)).is_err());
    assert!(run(delete_role(&client)).is_err());
    assert!(
        server
            .actions()
            .iter()
            .all(|one| one == "GetCallerIdentity")
    );
}

#[test]
fn the_account_is_asked_for_once() {
    let server = Server::start(&[
        Act::Answer(200, CALLER),
        Act::Answer(200, ROLE),
        Act::Answer(200, ROLE),
    ]);
    let client = client(&server);
    let target = run(client.target()).unwrap();
    assert_eq!(target.id, "123456789012/eu-west-1");
    assert!(
        target
            .description
            .contains("arn:aws:iam::123456789012:user/me")
    );
    run(get_role(&client)).unwrap();
    run(get_role(&client)).unwrap();
    assert_eq!(
        server.actions(),
        ["GetCallerIdentity", "GetRole", "GetRole"]
    );
    let statistics = client.statistics();
    assert_eq!((statistics.reads, statistics.writes), (3, 0));
    assert_eq!(
        statistics.bytes_received,
        (CALLER.len() + 2 * ROLE.len()) as u64
    );
    assert!(statistics.bytes_sent > 0);
}

#[test]
fn a_lost_answer_is_asked_for_again_only_where_nothing_changes() {
    let server = Server::start(&[Act::Answer(200, CALLER), Act::Drop, Act::Answer(200, ROLE)]);
    let reads = client(&server);
    run(get_role(&reads)).unwrap();
    assert_eq!(
        server.actions(),
        ["GetCallerIdentity", "GetRole", "GetRole"]
    );
    assert_eq!(reads.statistics().retries, 1);

    for act in [Act::Drop, Act::Answer(500, ""), Act::Answer(404, "<html>")] {
        let server = Server::start(&[Act::Answer(200, CALLER), act]);
        let writes = client(&server);
        let failure = run(delete_role(&writes)).unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::Ambiguous, "{act:?}");
        assert_eq!(server.actions(), ["GetCallerIdentity", "DeleteRole"]);
    }
}

async fn tag_role(client: &Client) -> Result<(), Failure> {
    let sdk = client.sdk().await?;
    let tag = sdk.iam.untag_role().role_name("x").tag_keys("k");
    client
        .put("iam:UntagRole", || tag.clone().send())
        .await
        .map(drop)
}

#[test]
fn what_gives_the_same_when_done_twice_is_sent_again() {
    let done = "<UntagRoleResponse></UntagRoleResponse>";
    let server = Server::start(&[
        Act::Answer(200, CALLER),
        Act::Drop,
        Act::Answer(503, ""),
        Act::Answer(200, done),
    ]);
    let client = client(&server);
    run(tag_role(&client)).unwrap();
    assert_eq!(server.actions().len(), 4);
    assert_eq!(client.statistics().retries, 2);
}

#[test]
fn a_storm_passes_within_seconds() {
    let mut script = vec![Act::Answer(200, CALLER)];
    script.extend([Act::Answer(400, THROTTLED); 6]);
    script.push(Act::Answer(200, ROLE));
    let server = Server::start(&script);
    let client = client(&server);
    let started = Instant::now();
    run(get_role(&client)).unwrap();
    assert_eq!(client.statistics().retries, 6);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn what_was_too_much_is_sent_again() {
    let done = "<DeleteRoleResponse></DeleteRoleResponse>";
    let server = Server::start(&[
        Act::Answer(200, CALLER),
        Act::Answer(400, THROTTLED),
        Act::Answer(200, done),
    ]);
    let client = client(&server);
    run(delete_role(&client)).unwrap();
    assert_eq!(
        server.actions(),
        ["GetCallerIdentity", "DeleteRole", "DeleteRole"]
    );
    let statistics = client.statistics();
    assert_eq!((statistics.writes, statistics.retries), (2, 1));
}
