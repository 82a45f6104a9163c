//! Stands in for the issuer of the quickstart: makes a key, and signs a workload's token with it.
//!
//! `quickstart-token keys FOLDER` writes `private.pem` and `public.pem`;
//! `quickstart-token sign FOLDER SUBJECT AUDIENCE` prints a token that lives for five minutes.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a demonstration")]

use std::path::Path;
use std::process::ExitCode;

#[path = "../../tests/it/support/keys.rs"]
mod keys;

use keys::Keys;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["keys", folder] => {
            let keys = Keys::generate();
            let folder = Path::new(folder);
            std::fs::write(folder.join("private.pem"), keys.private_pem).expect("private.pem");
            std::fs::write(folder.join("public.pem"), keys.public_pem).expect("public.pem");
            ExitCode::SUCCESS
        }
        ["sign", folder, subject, audience] => {
            let read = |name| std::fs::read_to_string(Path::new(folder).join(name)).expect(name);
            let keys = Keys {
                private_pem: read("private.pem"),
                public_pem: read("public.pem"),
            };
            let issuer = "https://issuer.example.com";
            println!(
                "{}",
                keys.sign(issuer, subject, audience, 300, &serde_json::json!({}))
            );
            ExitCode::SUCCESS
        }
        _ => {
            println!("quickstart-token keys FOLDER | sign FOLDER SUBJECT AUDIENCE");
            ExitCode::FAILURE
        }
    }
}
