//! Network policies.

use std::fmt::Write as _;

use super::*;

pub(super) fn policy(out: &mut String, obj: &Obj) {
    let spec = obj.spec();
    line(out, "Name", &obj.name());
    line(out, "Namespace", &obj.ns());
    // Go's own form of a time
    let created =
        obj.meta()["creationTimestamp"].str().replace('T', " ").replace('Z', " +0000 UTC");
    line(out, "Created on", &created);
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    let chosen = match rows::selector(&spec["podSelector"]).as_str() {
        "<none>" => {
            "<none> (Allowing the specific traffic to all pods in this namespace)".to_owned()
        }
        some => some.to_owned(),
    };
    let _ = writeln!(out, "Spec:\n  PodSelector:     {chosen}");
    let kinds: Vec<&str> = spec["policyTypes"].items().iter().map(Value::str).collect();
    for (kind, field, peers, label, end) in [
        ("Ingress", "ingress", "from", "From", "source"),
        ("Egress", "egress", "to", "To", "destination"),
    ] {
        if kinds.contains(&kind) {
            let _ = writeln!(out, "  Allowing {field} traffic:");
            if spec[field].is_empty() {
                let _ = writeln!(
                    out,
                    "    <none> (Selected pods are isolated for {field} connectivity)"
                );
            }
            for (i, rule) in spec[field].items().iter().enumerate() {
                if i > 0 {
                    out.push_str("    ----------\n");
                }
                ports(out, &rule["ports"]);
                if rule[peers].is_empty() {
                    let _ = writeln!(out, "    {label}: <any> (traffic not restricted by {end})");
                }
                for peer in rule[peers].items() {
                    let _ = writeln!(out, "    {label}:");
                    side(out, peer);
                }
            }
        } else {
            let _ = writeln!(out, "  Not affecting {field} traffic");
        }
    }
    let kinds = if kinds.is_empty() { "<none>".to_owned() } else { kinds.join(", ") };
    let _ = writeln!(out, "  Policy Types: {kinds}");
}

fn ports(out: &mut String, ports: &Value) {
    if ports.is_empty() {
        out.push_str("    To Port: <any> (traffic allowed to all ports)\n");
    }
    for p in ports.items() {
        let protocol = p["protocol"].as_str().unwrap_or("TCP");
        let port = match &p["port"] {
            Value::Null => "<nil>".to_owned(),
            Value::Int(n) => n.to_string(),
            name => name.str().to_owned(),
        };
        let _ = match p["endPort"].as_int() {
            None => writeln!(out, "    To Port: {port}/{protocol}"),
            Some(end) => writeln!(out, "    To Port Range: {port}-{end}/{protocol}"),
        };
    }
}

/// The other side of the traffic.
fn side(out: &mut String, peer: &Value) {
    let mut selected = false;
    for (field, label) in
        [("namespaceSelector", "NamespaceSelector"), ("podSelector", "PodSelector")]
    {
        if !peer[field].is_null() {
            selected = true;
            let _ = writeln!(out, "      {label}: {}", rows::selector(&peer[field]));
        }
    }
    let block = &peer["ipBlock"];
    if !selected && !block.is_null() {
        let except: Vec<&str> = block["except"].items().iter().map(Value::str).collect();
        let _ = writeln!(
            out,
            "      IPBlock:\n        CIDR: {}\n        Except: {}",
            block["cidr"].str(),
            except.join(", ")
        );
    }
}
