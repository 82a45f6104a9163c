//! Which object is made after which, as a drawing or as JSON.
//!
//! In: what is wanted. Out: Graphviz, Mermaid or JSON; an arrow points from an object to what
//! must be there before it. Objects of one declaration stand in one box.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use remit_sdk::{DeclarationAddress, ObjectAddress, text};
use serde_json::{Value as Json, json};

use super::changes::short_address;
use crate::lower::Desired;

/// For Graphviz: `remit graph | dot -Tsvg`.
pub fn dot(desired: &Desired) -> String {
    let quote = |text: &str| {
        let escaped = text::safe(text).replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    };
    let mut out = String::from("digraph remit {\n  rankdir = LR;\n  node [shape = box];\n");
    for (number, (declaration, objects)) in boxes(desired).into_iter().enumerate() {
        let _ = writeln!(
            out,
            "  subgraph cluster_{number} {{\n    label = {};",
            quote(&declaration.to_string())
        );
        for object in objects {
            let _ = writeln!(
                out,
                "    {} [label = {}];",
                quote(&object.to_string()),
                quote(&short_address(object))
            );
        }
        out.push_str("  }\n");
    }
    for (from, to) in edges(desired) {
        let (from, to) = (quote(&from.to_string()), quote(&to.to_string()));
        let _ = writeln!(out, "  {from} -> {to};");
    }
    out.push_str("}\n");
    out
}

/// For Mermaid, which Markdown on many sites shows.
pub fn mermaid(desired: &Desired) -> String {
    let quote = |text: &str| {
        let escaped = text::safe(text).replace('&', "&amp;");
        let escaped = escaped.replace('"', "#quot;").replace('<', "&lt;");
        format!("\"{escaped}\"")
    };
    let numbers: BTreeMap<&ObjectAddress, usize> = desired
        .objects
        .keys()
        .enumerate()
        .map(|(number, address)| (address, number))
        .collect();
    let number = |address: &ObjectAddress| numbers.get(address).copied().unwrap_or_default();
    let mut out = String::from("flowchart LR\n");
    for (box_number, (declaration, objects)) in boxes(desired).into_iter().enumerate() {
        let _ = writeln!(
            out,
            "  subgraph d{box_number}[{}]",
            quote(&declaration.to_string())
        );
        for object in objects {
            let _ = writeln!(
                out,
                "    o{}[{}]",
                number(object),
                quote(&short_address(object))
            );
        }
        out.push_str("  end\n");
    }
    for (from, to) in edges(desired) {
        let _ = writeln!(out, "  o{} --> o{}", number(from), number(to));
    }
    out
}

/// As JSON: the objects, and for each what must be there before it.
pub fn json(desired: &Desired) -> Json {
    let objects: Vec<Json> = desired
        .objects
        .values()
        .map(|wanted| {
            json!({
                "address": wanted.address,
                "declaration": wanted.address.declaration,
                "type": wanted.kind.name,
                "instance": wanted.instance,
                "key": wanted.key,
                "depends_on": wanted.depends_on,
            })
        })
        .collect();
    json!({ "format_version": "1.0", "objects": objects })
}

fn boxes(desired: &Desired) -> BTreeMap<&DeclarationAddress, Vec<&ObjectAddress>> {
    let mut out: BTreeMap<&DeclarationAddress, Vec<&ObjectAddress>> = BTreeMap::new();
    for address in desired.objects.keys() {
        out.entry(&address.declaration).or_default().push(address);
    }
    out
}

fn edges(desired: &Desired) -> impl Iterator<Item = (&ObjectAddress, &ObjectAddress)> {
    desired
        .objects
        .iter()
        .flat_map(|(address, wanted)| wanted.depends_on.iter().map(move |other| (address, other)))
}

#[cfg(test)]
mod tests {
    use remit_sdk::declaration::{Lifecycle, Wanted};
    use remit_sdk::{FileId, Span};

    use super::super::testing;
    use super::*;

    fn desired() -> Desired {
        let mut desired = Desired::default();
        for (address, needs) in [
            ("identity.x[\"prod\"]/vault_entity", "scope.s/vault_policy"),
            ("scope.s/vault_policy", ""),
        ] {
            let address = testing::address(address);
            let wanted = Wanted {
                instance: "vault".into(),
                kind: testing::catalog().kind(&address.kind).unwrap(),
                key: "remit-x".into(),
                attributes: BTreeMap::new(),
                depends_on: (!needs.is_empty())
                    .then(|| testing::address(needs))
                    .into_iter()
                    .collect(),
                holders: [].into(),
                lifecycle: Lifecycle::default(),
                span: Span::new(FileId(0), 0, 0),
                address: address.clone(),
            };
            desired.objects.insert(address, wanted);
        }
        desired
    }

    #[test]
    fn as_graphviz() {
        let wanted = r#"digraph remit {
  rankdir = LR;
  node [shape = box];
  subgraph cluster_0 {
    label = "identity.x[\"prod\"]";
    "identity.x[\"prod\"]/vault_entity" [label = "vault_entity"];
  }
  subgraph cluster_1 {
    label = "scope.s";
    "scope.s/vault_policy" [label = "vault_policy"];
  }
  "identity.x[\"prod\"]/vault_entity" -> "scope.s/vault_policy";
}
"#;
        assert_eq!(dot(&desired()), wanted);
    }

    #[test]
    fn as_mermaid() {
        let wanted = r#"flowchart LR
  subgraph d0["identity.x[#quot;prod#quot;]"]
    o0["vault_entity"]
  end
  subgraph d1["scope.s"]
    o1["vault_policy"]
  end
  o0 --> o1
"#;
        assert_eq!(mermaid(&desired()), wanted);
    }

    #[test]
    fn as_json() {
        assert_eq!(
            json(&desired())["objects"][0]["depends_on"],
            json!(["scope.s/vault_policy"])
        );
    }
}
