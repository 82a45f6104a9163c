//! The `provider "vault"` block, typed. Pure: nothing is read from the environment or from a
//! file here; [`Settings`] says where to look, and the client looks.
//!
//! | attribute | meaning | where it comes from otherwise |
//! |---|---|---|
//! | `address` | the server's URL | `BAO_ADDR`, then `VAULT_ADDR` |
//! | `namespace` | the namespace everything is in | `BAO_NAMESPACE`, then `VAULT_NAMESPACE` |
//! | `ca_pem` | the CAs the server is verified with, PEM | the system's |
//! | `login` block | `token`, `approle` or `jwt`, see [`Login`] | `BAO_TOKEN`, `VAULT_TOKEN`, `~/.vault-token` |
//!
//! `VAULT_SKIP_VERIFY` and its like are never looked at.

use remit_sdk::declaration::{ProviderBlock, ProviderConfig};
use remit_sdk::settings::{Attributes, Reader, span_of};
use remit_sdk::text::safe;
use remit_sdk::{Diagnostic, Span};

use crate::normal;

/// The prefix of live names, unless the configuration says otherwise.
const PREFIX_DEFAULT: &str = "remit-";

/// What a `provider "vault"` block says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `vault`, or `vault.audit`.
    pub instance: String,
    /// The prefix of computed live names: what stands under it unasked for is reported.
    pub prefix: String,
    /// The server's URL, if the block has one.
    pub address: Option<String>,
    /// The namespace, if the block has one, in the one form that it has; empty for the root.
    pub namespace: Option<String>,
    /// CAs instead of the system's, PEM.
    pub ca_pem: Option<String>,
    /// How a token is come by.
    pub login: Login,
    /// The block's header.
    pub span: Option<Span>,
}

/// How a token is come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// `BAO_TOKEN`, then `VAULT_TOKEN`, then `~/.vault-token`.
    Default,
    /// `login "token" { token_env = "X" }`: a token from elsewhere.
    Token(Source),
    /// `login "approle" { mount role_id secret_id_env|secret_id_file }`.
    Approle {
        /// The auth mount; `approle` unless given.
        mount: String,
        /// The role-id.
        role_id: String,
        /// Where the secret-id is.
        secret_id: Source,
    },
    /// `login "jwt" { mount role token_env|token_file }`.
    Jwt {
        /// The auth mount; `jwt` unless given.
        mount: String,
        /// The role.
        role: String,
        /// Where the JWT is.
        token: Source,
    },
}

/// The one form of a namespace's name: the server takes several for one namespace, and whoever
/// compares targets must not. The root's is empty.
pub(crate) fn namespace(text: &str) -> Result<String, String> {
    let name = text.trim_matches('/');
    let is_odd = |segment: &str| matches!(segment, "" | "." | "..");
    // The server trims a header's white space.
    if name.chars().any(|c| !c.is_ascii_graphic()) {
        return Err(format!("`{}` is no namespace", safe(text)));
    }
    if !name.is_empty() && name.split('/').any(is_odd) {
        let why = "it has an empty segment, or one that is `.` or `..`";
        return Err(format!("`{}` is no namespace: {why}", safe(text)));
    }
    Ok(if name == "root" { "" } else { name }.to_owned())
}

/// Where a secret for the login is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a variable of the environment.
    Env(String),
    /// In a file.
    File(String),
}

impl Settings {
    /// Reads a block; all mistakes at once.
    pub fn from_config(config: &ProviderConfig) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Block(Reader::new("vault", config.span));
        let block = &config.attributes;
        reader.known(block, &["address", "namespace", "ca_pem"]);
        let namespace = reader
            .text(block, "namespace")
            .filter(|one| !one.is_empty());
        let namespace = namespace.and_then(|text| match self::namespace(&text) {
            Ok(named) => Some(named),
            Err(why) => {
                reader.mistake(why, span_of(block, "namespace"));
                None
            }
        });
        let settings = Self {
            instance: config.instance.clone(),
            prefix: PREFIX_DEFAULT.to_owned(),
            address: reader.text(block, "address"),
            namespace,
            ca_pem: reader.text(block, "ca_pem"),
            login: reader.login(&config.blocks),
            span: config.span,
        };
        reader.0.finish(settings)
    }

    /// The same with another prefix of live names.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }
}

/// What is never written in a block, and what to write instead.
const REFUSED: &[(&str, &str)] = &[(
    "token",
    "a token is never written in configuration; set `BAO_TOKEN`, or write a `login` block",
)];

/// A block being read.
struct Block(Reader);

impl Block {
    fn mistake(&mut self, detail: impl Into<String>, span: Option<Span>) {
        self.0.mistake(detail, span);
    }

    /// A mistake about a text that may be a token, put where none belongs.
    fn hidden_mistake(&mut self, detail: impl Into<String>, span: Option<Span>) {
        self.0.hidden_mistake(detail, span);
    }

    fn known(&mut self, attributes: &Attributes, known: &[&'static str]) {
        self.0.known(attributes, known, REFUSED);
    }

    fn text(&mut self, attributes: &Attributes, name: &str) -> Option<String> {
        self.0.text(attributes, name)
    }

    fn login(&mut self, blocks: &[ProviderBlock]) -> Login {
        let mut login = Login::Default;
        let mut seen = None;
        for block in blocks {
            if block.kind != "login" {
                let detail = format!("unknown block `{}`; there is `login`", safe(&block.kind));
                self.mistake(detail, Some(block.span));
                continue;
            }
            if seen.replace(block.span).is_some() {
                self.mistake("there can be one `login` block", Some(block.span));
                continue;
            }
            login = self.one_login(block).unwrap_or(Login::Default);
        }
        login
    }

    fn one_login(&mut self, block: &ProviderBlock) -> Option<Login> {
        let all = &block.attributes;
        match block.labels.first().map(String::as_str) {
            Some("token") if block.labels.len() == 1 => {
                self.known(all, &["token_env", "token_file"]);
                self.source(block, "token").map(Login::Token)
            }
            Some("approle") if block.labels.len() == 1 => {
                self.known(
                    all,
                    &["mount", "role_id", "secret_id_env", "secret_id_file"],
                );
                let mount = self.mount(block, "approle");
                let role_id = self.needed(block, "role_id");
                let secret_id = self.source(block, "secret_id");
                Some(Login::Approle {
                    mount,
                    role_id: role_id?,
                    secret_id: secret_id?,
                })
            }
            Some("jwt") if block.labels.len() == 1 => {
                self.known(all, &["mount", "role", "token_env", "token_file"]);
                let mount = self.mount(block, "jwt");
                let role = self.needed(block, "role");
                let token = self.source(block, "token");
                Some(Login::Jwt {
                    mount,
                    role: role?,
                    token: token?,
                })
            }
            _ => {
                let detail = "a login is `login \"token\"`, `login \"approle\"` or `login \"jwt\"`";
                self.mistake(detail, Some(block.span));
                None
            }
        }
    }

    fn mount(&mut self, block: &ProviderBlock, default: &str) -> String {
        let mount = self
            .text(&block.attributes, "mount")
            .unwrap_or_else(|| default.to_owned());
        let mount = mount.trim_matches('/').to_owned();
        if let Some(kind) = crate::schema::kind("vault_auth_mount")
            && let Err(why) = normal::check_name(kind, "path", &mount)
        {
            let span = span_of(&block.attributes, "mount");
            self.mistake(why, span.or(Some(block.span)));
        }
        mount
    }

    fn needed(&mut self, block: &ProviderBlock, name: &str) -> Option<String> {
        let text = self.text(&block.attributes, name);
        if text.is_none() && !block.attributes.contains_key(name) {
            self.mistake(format!("the login needs `{name}`"), Some(block.span));
        }
        text
    }

    /// Exactly one of `NAME_env` and `NAME_file`.
    fn source(&mut self, block: &ProviderBlock, name: &str) -> Option<Source> {
        let env = self.text(&block.attributes, &format!("{name}_env"));
        let file = self.text(&block.attributes, &format!("{name}_file"));
        match (env, file) {
            (Some(env), None) if !is_variable(&env) => {
                let written = block.attributes.get(&format!("{name}_env"));
                let detail = format!(
                    "`{name}_env` takes the name of an environment variable, which has letters, \
                     digits and `_`, and not what it holds"
                );
                self.hidden_mistake(
                    detail,
                    written.and_then(|one| one.span).or(Some(block.span)),
                );
                None
            }
            (Some(env), None) => Some(Source::Env(env)),
            (None, Some(file)) => Some(Source::File(file)),
            _ => {
                let detail = format!("the login needs one of `{name}_env` and `{name}_file`");
                self.mistake(detail, Some(block.span));
                None
            }
        }
    }
}

/// Whether an environment variable may have this name (POSIX, 8.1).
fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use remit_sdk::{FileId, Spanned, Value};

    use super::*;

    fn attributes(all: &[(&str, &str)]) -> Attributes {
        all.iter()
            .map(|(name, text)| ((*name).to_owned(), Spanned::new(Value::string(*text), None)))
            .collect()
    }

    fn config(all: &[(&str, &str)], login: Option<(&str, &[(&str, &str)])>) -> ProviderConfig {
        ProviderConfig {
            instance: "vault".into(),
            provider: "vault".into(),
            attributes: attributes(all),
            blocks: login
                .map(|(label, all)| ProviderBlock {
                    kind: "login".into(),
                    labels: vec![label.into()],
                    attributes: attributes(all),
                    span: Span::new(FileId(0), 0, 1),
                })
                .into_iter()
                .collect(),
            span: None,
        }
    }

    #[test]
    fn a_block_becomes_settings() {
        let settings = Settings::from_config(&config(
            &[("address", "https://v:8200"), ("namespace", "/agents/")],
            Some((
                "jwt",
                &[("mount", "ci"), ("role", "r"), ("token_env", "CI_JOB_JWT")],
            )),
        ))
        .unwrap();
        assert_eq!(settings.namespace.as_deref(), Some("agents"));
        assert_eq!(
            settings.login,
            Login::Jwt {
                mount: "ci".into(),
                role: "r".into(),
                token: Source::Env("CI_JOB_JWT".into())
            }
        );
        assert_eq!(
            Settings::from_config(&config(&[], None)).unwrap().login,
            Login::Default
        );
    }

    #[test]
    fn all_mistakes_are_named() {
        let mistakes = Settings::from_config(&config(
            &[("adress", "x"), ("token", "s.x")],
            Some(("approle", &[("mount", "../x")])),
        ))
        .unwrap_err();
        let said = mistakes
            .iter()
            .flat_map(|one| [Some(&one.detail), one.help.as_ref()]);
        let all: Vec<_> = said.flatten().collect();
        for why in [
            "did you mean `address`?",
            "never written in configuration",
            "no mount path",
            "needs `role_id`",
            "one of `secret_id_env` and `secret_id_file`",
        ] {
            assert!(all.iter().any(|one| one.contains(why)), "{why}: {all:?}");
        }
        assert!(Settings::from_config(&config(&[], Some(("cert", &[])))).is_err());
        // What may be a token is not shown, neither as an attribute nor as a variable's name.
        let hidden: Vec<&str> = mistakes
            .iter()
            .filter(|one| one.hides_text)
            .map(|one| one.detail.as_str())
            .collect();
        assert!(
            hidden.iter().any(|one| one.contains("a token is never")),
            "{hidden:?}"
        );
        let wrong = Settings::from_config(&config(&[], Some(("token", &[("token_env", "s.x")]))));
        let mistake = &wrong.unwrap_err()[0];
        assert!(mistake.hides_text && mistake.detail.contains("name of an environment variable"));
        assert!(!mistake.detail.contains("s.x"));
    }

    /// What a real server takes for one namespace has one form, or none.
    #[test]
    fn a_namespace_has_one_form() {
        for (text, form) in [
            ("team", "team"),
            ("/team/sub/", "team/sub"),
            ("Team", "Team"),
            ("root", ""),
            ("root/", ""),
            ("/", ""),
            ("team/root", "team/root"),
        ] {
            assert_eq!(namespace(text).as_deref(), Ok(form), "{text}");
        }
        for text in [
            "./team",
            "x/../team",
            "team/.",
            "team/..",
            ".",
            "..",
            "team//sub",
            " team",
            "team\t",
            "t\u{e9}am",
            "/./",
        ] {
            let why = namespace(text).unwrap_err();
            assert!(why.contains("is no namespace"), "{text}: {why}");
        }
        // The root by name is not what the environment says.
        let of = |text| Settings::from_config(&config(&[("namespace", text)], None));
        assert_eq!(of("root").unwrap().namespace.as_deref(), Some(""));
        assert_eq!(of("").unwrap().namespace, None);
        assert!(of("a//b").unwrap_err()[0].detail.contains("empty segment"));
    }
}
