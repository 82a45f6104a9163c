//! Attributes that several kinds share: those of every login role, those of every mount.

/// Attributes that every kind of login role has (`tokenutil` of the server).
macro_rules! with_token_attributes {
    ($($own:expr),* $(,)?) => {
        &[
            $($own,)*
            seconds("token_ttl", "How long a token lives at first, in seconds; 0 is the mount's default"),
            seconds("token_max_ttl", "How long it lives at most, renewed, in seconds; 0 is the mount's maximum"),
            seconds("token_period", "The lifetime each renewal gives a periodic token, in seconds; 0 is none"),
            seconds("token_explicit_max_ttl", "A lifetime that no renewal exceeds, in seconds; 0 is none"),
            set("token_bound_cidrs", "Addresses the token may be used from; empty is anywhere"),
            bool("token_strictly_bind_ip", false, "Whether the token is bound to the address of the login"),
            grants(set("token_policies", "Policies of the token itself; remit leaves them empty and attaches policies to the entity")),
            bool("token_no_default_policy", false, "Whether the policy `default` is left out"),
            integer("token_num_uses", "How often a token may be used; 0 is without limit"),
            one_of("token_type", &["default", "service", "batch"], "default", "The kind of token; `default` is what the mount says"),
        ]
    };
}

/// Attributes that auth and secrets mounts share.
macro_rules! with_mount_attributes {
    ($($own:expr),* $(,)?) => {
        &[
            key("path", "Where it is mounted, without a slash at either end"),
            immutable(required("type", Shape::String, "The plugin's type: `jwt`, `approle`, `kv`, `database`")),
            text("description", "What it is for"),
            map("options", "Options of the plugin, such as `version` of `kv`"),
            immutable(bool("local", false, "Whether it is kept out of replication")),
            immutable(bool("seal_wrap", false, "Whether its storage is wrapped by the seal once more")),
            untested(
                immutable(bool("external_entropy_access", false, "Whether it may use the server's external source of entropy")),
                NEEDS_PKCS11,
            ),
            seconds("default_lease_ttl", "The default lifetime of its tokens or leases, in seconds; 0 is the system's"),
            seconds("max_lease_ttl", "The longest lifetime of its tokens or leases, in seconds; 0 is the system's"),
            set("audit_non_hmac_request_keys", "Request fields that audit logs hold in clear"),
            set("audit_non_hmac_response_keys", "Response fields that audit logs hold in clear"),
            one_of("listing_visibility", &["", "hidden", "unauth"], "", "Whether it is listed to those who are not logged in"),
            set("passthrough_request_headers", "Request headers handed to the plugin"),
            set("allowed_response_headers", "Response headers the plugin may set"),
            untested(text("plugin_version", "The plugin's version; empty is the built-in one"), NEEDS_PLUGIN),
            $($own,)*
            computed("accessor", Shape::String, "What aliases and audit logs call it; another mount at the same path has another one"),
            computed("uuid", Shape::String, "Its id in storage"),
            volatile(computed("running_plugin_version", Shape::String, "The version that runs; changes with the server")),
            volatile(computed("running_sha256", Shape::String, "The running plugin's hash; empty for a built-in one")),
            volatile(computed("deprecation_status", Shape::String, "Whether the plugin is supported; changes with the server")),
        ]
    };
}

pub(super) use {with_mount_attributes, with_token_attributes};
