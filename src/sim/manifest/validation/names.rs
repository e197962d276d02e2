//! Names, labels and metadata.

use super::{Errors, quoted};
use crate::api::Kind;
use crate::value::Value;

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const SEARCH: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

fn lower_or_digit(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

fn label_shape(s: &str) -> bool {
    let b = s.as_bytes();
    b.first().is_some_and(|c| lower_or_digit(*c))
        && b.last().is_some_and(|c| lower_or_digit(*c))
        && b.iter().all(|c| lower_or_digit(*c) || *c == b'-')
}

/// Is it a DNS label of at most 63 characters?
pub fn is_label(s: &str) -> bool {
    s.len() <= 63 && label_shape(s)
}

/// Is it a DNS subdomain of at most 253 characters?
pub fn is_subdomain(s: &str) -> bool {
    s.len() <= 253 && s.split('.').all(label_shape)
}

/// What is wrong with a DNS label.
pub(super) fn label_faults(s: &str) -> Vec<String> {
    let mut out = Vec::new();
    if s.len() > 63 {
        out.push("must be no more than 63 characters".into());
    }
    if !label_shape(s) {
        let dots = s.split('.').all(label_shape);
        out.push(if dots { "must not contain dots".into() } else { LABEL.into() });
    }
    out
}

pub(super) fn subdomain_faults(s: &str) -> Vec<String> {
    let mut out = Vec::new();
    if s.len() > 253 {
        out.push("must be no more than 253 characters".into());
    }
    if !s.split('.').all(label_shape) {
        out.push(SUBDOMAIN.into());
    }
    out
}

/// What is wrong with a search domain, which may have underscores.
pub(super) fn search_faults(s: &str) -> Vec<String> {
    let plain = |part: &str| {
        let part = part.strip_prefix('_').unwrap_or(part);
        !part.starts_with('_') && label_shape(&part.replace('_', "-"))
    };
    if s.split('.').all(plain) { too_long(s, 253) } else { vec![SEARCH.into()] }
}

/// "Too long", if it is.
fn too_long(s: &str, most: usize) -> Vec<String> {
    (s.len() > most)
        .then(|| format!("must be no more than {most} characters"))
        .into_iter()
        .collect()
}

/// What is wrong with the value of a label.
pub(super) fn label_value_faults(v: &str) -> Vec<String> {
    let mut out = too_long(v, 63);
    if !v.is_empty() && !word_shape(v) {
        out.push(LABEL_VALUE.into());
    }
    out
}

/// What is wrong with a key of a ConfigMap or Secret.
pub fn config_key_faults(key: &str) -> Vec<String> {
    let mut out = too_long(key, 253);
    if key.is_empty() || !key.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c)) {
        out.push(CONFIG_KEY.into());
    }
    match key {
        "." => out.push("must not be '.'".into()),
        ".." => out.push("must not be '..'".into()),
        k if k.starts_with("..") => out.push("must not start with '..'".into()),
        _ => {}
    }
    out
}

pub(super) fn check_qualified(e: &mut Errors, field: &str, s: &str) {
    for fault in qualified_faults(s) {
        e.invalid(field, quoted(s), fault);
    }
}

/// An IPv4 or IPv6 address.
pub(super) fn check_ip(e: &mut Errors, field: &str, ip: &str) -> bool {
    let good = ip.parse::<std::net::IpAddr>().is_ok();
    if !good {
        e.invalid(
            field,
            quoted(ip),
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        );
    }
    good
}

pub(super) fn check_label(e: &mut Errors, field: &str, s: &str) {
    for fault in label_faults(s) {
        e.invalid(field, quoted(s), fault);
    }
}

pub(super) fn check_subdomain(e: &mut Errors, field: &str, s: &str) {
    for fault in subdomain_faults(s) {
        e.invalid(field, quoted(s), fault);
    }
}

fn word_shape(s: &str) -> bool {
    let b = s.as_bytes();
    b.first().is_some_and(u8::is_ascii_alphanumeric)
        && b.last().is_some_and(u8::is_ascii_alphanumeric)
        && b.iter().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(c))
}

/// What is wrong with a qualified name (`prefix/name`), as label keys are.
pub(super) fn qualified_faults(key: &str) -> Vec<String> {
    let parts: Vec<&str> = key.split('/').collect();
    let mut out = Vec::new();
    let name = match parts.as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                out.push("prefix part must be non-empty".into());
            } else {
                out.extend(
                    subdomain_faults(prefix).into_iter().map(|f| format!("prefix part {f}")),
                );
            }
            *name
        }
        _ => {
            out.push("a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')".into());
            return out;
        }
    };
    if name.is_empty() {
        out.push("name part must be non-empty".into());
    } else if name.len() > 63 {
        out.push("name part must be no more than 63 characters".into());
    }
    if !word_shape(name) {
        out.push(QUALIFIED.into());
    }
    out
}

/// Labels of an object or a template.
pub(super) fn labels(e: &mut Errors, field: &str, labels: &Value) {
    for (k, v) in labels.pairs() {
        for fault in qualified_faults(k) {
            e.invalid(field, quoted(k), fault);
        }
        let v = v.str();
        for fault in label_value_faults(v) {
            e.invalid(field, quoted(v), fault);
        }
    }
}

/// Annotations: keys, and 256 KiB in all.
pub(super) fn annotations(e: &mut Errors, field: &str, annotations: &Value) {
    let mut total = 0;
    for (k, v) in annotations.pairs() {
        for fault in qualified_faults(&k.to_ascii_lowercase()) {
            e.invalid(field, quoted(k), fault);
        }
        total += k.len() + v.str().len();
    }
    if total > 256 * 1024 {
        e.add(field, format!("Too long: may not be more than {} bytes", 256 * 1024));
    }
}

/// A label selector object; says whether nothing is wrong with it.
pub(super) fn selector(e: &mut Errors, field: &str, s: &Value) -> bool {
    let before = e.0.len();
    labels(e, &format!("{field}.matchLabels"), &s["matchLabels"]);
    for (i, x) in s["matchExpressions"].items().iter().enumerate() {
        requirement(e, &format!("{field}.matchExpressions[{i}]"), x, false);
    }
    e.0.len() == before
}

/// One expression of a selector of labels; selectors of nodes compare numbers too.
pub(super) fn requirement(e: &mut Errors, at: &str, x: &Value, node: bool) {
    let values = x["values"].items();
    match x["operator"].str() {
        "In" | "NotIn" if values.is_empty() => e.required(
            format!("{at}.values"),
            "must be specified when `operator` is 'In' or 'NotIn'",
        ),
        "Exists" | "DoesNotExist" if !values.is_empty() => e.forbidden(
            format!("{at}.values"),
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        ),
        "Gt" | "Lt" if node => {
            if values.len() != 1 {
                e.required(
                    format!("{at}.values"),
                    "must be specified single value when `operator` is 'Lt' or 'Gt'",
                );
            }
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => {
            e.invalid(format!("{at}.operator"), quoted(other), "not a valid selector operator");
        }
    }
    check_qualified(e, &format!("{at}.key"), x["key"].str());
    for (i, v) in values.iter().enumerate() {
        for fault in label_value_faults(v.str()) {
            e.invalid(format!("{at}.values[{i}]"), quoted(v.str()), fault);
        }
    }
}

/// A selector as Go writes it: the labels first.
pub(super) fn selector_text(s: &Value) -> String {
    let mut parts = Vec::new();
    for key in ["matchLabels", "matchExpressions"] {
        if !s[key].is_empty() {
            parts.push(format!("\"{key}\":{}", s[key]));
        }
    }
    if s.is_null() { "null".into() } else { format!("{{{}}}", parts.join(",")) }
}

/// How the names of a kind look, where it is not a DNS subdomain.
fn check_name(e: &mut Errors, kind: Kind, field: &str, name: &str) {
    match kind {
        Kind::StatefulSet | Kind::Service | Kind::Namespace => check_label(e, field, name),
        Kind::Role
        | Kind::ClusterRole
        | Kind::RoleBinding
        | Kind::ClusterRoleBinding
        | Kind::PodDisruptionBudget => {
            if name == "." || name == ".." {
                e.invalid(field, quoted(name), format!("may not be '{name}'"));
            }
            for c in ['/', '%'] {
                if name.contains(c) {
                    e.invalid(field, quoted(name), format!("may not contain '{c}'"));
                }
            }
        }
        _ => check_subdomain(e, field, name),
    }
    if kind == Kind::CronJob && name.len() > 52 {
        e.invalid(field, quoted(name), "must be no more than 52 characters");
    }
}

/// `metadata` of any object; with its old version, an update, which cannot change the name.
pub(super) fn metadata(e: &mut Errors, kind: Kind, value: &Value, old: Option<&Value>) {
    let meta = &value["metadata"];
    if old.is_none() {
        let prefix = meta["generateName"].str();
        if !prefix.is_empty() {
            // what is added makes an end of it
            let tried = prefix.strip_suffix('-').map_or_else(|| prefix.into(), |p| format!("{p}a"));
            let mut inner = Errors::default();
            check_name(&mut inner, kind, "metadata.generateName", &tried);
            for c in inner.0 {
                let text = c.message.replace(&quoted(&tried), &quoted(prefix));
                e.add(c.field.as_str(), text);
            }
        }
        let name = meta["name"].str();
        if name.is_empty() {
            e.required("metadata.name", "name or generateName is required");
        } else {
            check_name(e, kind, "metadata.name", name);
        }
        if kind.info().namespaced {
            check_label(e, "metadata.namespace", meta["namespace"].str());
        }
    }
    if let Some(old) = old.map(|o| &o["metadata"]).filter(|o| !o["deletionTimestamp"].is_null()) {
        let had = old["finalizers"].items();
        let mut new: Vec<String> = (meta["finalizers"].items().iter())
            .filter(|f| !had.contains(f))
            .map(|f| quoted(f.str()))
            .collect();
        new.sort();
        if !new.is_empty() {
            e.forbidden("metadata.finalizers", format!("no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}", new.join(", ")));
        }
    }
    labels(e, "metadata.labels", &meta["labels"]);
    annotations(e, "metadata.annotations", &meta["annotations"]);
    owners(e, meta["ownerReferences"].items());
    let finalizers = meta["finalizers"].items();
    for f in finalizers {
        check_qualified(e, "metadata.finalizers", f.str());
    }
    let has = |name: &str| finalizers.iter().any(|f| f.str() == name);
    if has("orphan") && has("foregroundDeletion") {
        e.invalid(
            "metadata.finalizers",
            meta["finalizers"].to_string(),
            "finalizer orphan and foregroundDeletion cannot be both set",
        );
    }
    for (i, f) in finalizers.iter().enumerate() {
        let standard = matches!(f.str(), "kubernetes" | "orphan" | "foregroundDeletion");
        if !f.str().contains('/') && !standard {
            e.invalid(
                format!("metadata.finalizers[{i}]"),
                quoted(f.str()),
                "name is neither a standard finalizer name nor is it fully qualified",
            );
        }
    }
}

fn owners(e: &mut Errors, owners: &[Value]) {
    let field = "metadata.ownerReferences";
    let mut first = None;
    for o in owners {
        for (key, detail) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ] {
            if o.get(key).str().is_empty() {
                e.invalid(format!("{field}.{key}"), "\"\"", detail);
            }
        }
        if o["controller"].is_true() {
            let this = format!("{}/{}", o["kind"].str(), o["name"].str());
            match &first {
                None => first = Some(this),
                Some(one) => {
                    let all: Vec<String> = owners.iter().map(owner_text).collect();
                    e.invalid(field, format!("[{}]", all.join(",")), format!("Only one reference can have Controller set to true. Found \"true\" in references for {one} and {this}"));
                }
            }
        }
    }
}

/// An owner reference as Go writes it.
fn owner_text(o: &Value) -> String {
    let mut parts: Vec<String> = ["apiVersion", "kind", "name", "uid"]
        .iter()
        .map(|k| format!("\"{k}\":{}", quoted(o.get(k).str())))
        .collect();
    for k in ["controller", "blockOwnerDeletion"] {
        if !o.get(k).is_null() {
            parts.push(format!("\"{k}\":{}", o.get(k)));
        }
    }
    format!("{{{}}}", parts.join(","))
}
