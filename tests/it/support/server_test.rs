//! The servers that tests stand on do what their helpers say.

use serde_json::json;

use crate::live::server::{Server, Storage};

#[test]
fn a_killed_server_comes_back_with_what_it_held() {
    let mut server = Server::start(Storage::Raft);
    let policy = json!({"policy": "path \"kv/x\" { capabilities = [\"read\"] }"});
    server.write("", "sys/policies/acl/kept", &policy);
    let namespace = server.namespace("apart");
    server.write(&namespace, "sys/policies/acl/inner", &policy);
    assert_eq!(server.get("", "sys/policies/acl/inner").0, 404);

    server.restart();
    assert_eq!(server.get("", "sys/policies/acl/kept").0, 200);
    let (_, listed) = server.list(&namespace, "sys/policies/acl");
    assert!(listed["data"]["keys"].to_string().contains("inner"));

    server.seal();
    assert_eq!(server.get("", "sys/policies/acl/kept").0, 503);
    server.unseal();
    assert_eq!(server.delete("", "sys/policies/acl/kept").0, 204);
}

#[test]
fn memory_forgets() {
    let server = Server::start(Storage::Memory);
    assert_eq!(server.get("", "sys/health").0, 200);
}
