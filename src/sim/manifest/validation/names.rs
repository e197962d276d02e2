//! Names, labels and metadata.

use super::{Errors, quoted};
use crate::api::Kind;
use crate::value::Value;

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

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

fn subdomain_faults(s: &str) -> Vec<String> {
    let mut out = Vec::new();
    if s.len() > 253 {
        out.push("must be no more than 253 characters".into());
    }
    if !s.split('.').all(label_shape) {
        out.push(SUBDOMAIN.into());
    }
    out
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
        if v.len() > 63 {
            e.invalid(field, quoted(v), "must be no more than 63 characters");
        }
        if !v.is_empty() && !word_shape(v) {
            e.invalid(field, quoted(v), LABEL_VALUE);
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

/// A label selector object.
pub(super) fn selector(e: &mut Errors, field: &str, s: &Value) -> bool {
    let before = e.0.len();
    labels(e, &format!("{field}.matchLabels"), &s["matchLabels"]);
    for (i, x) in s["matchExpressions"].items().iter().enumerate() {
        let at = format!("{field}.matchExpressions[{i}]");
        let values = x["values"].items();
        match x["operator"].str() {
            "In" | "NotIn" if values.is_empty() => {
                e.required(
                    format!("{at}.values"),
                    "must be specified when `operator` is 'In' or 'NotIn'",
                );
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                e.forbidden(
                    format!("{at}.values"),
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                );
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                e.invalid(format!("{at}.operator"), quoted(other), "not a valid selector operator");
            }
        }
        for fault in qualified_faults(x["key"].str()) {
            e.invalid(format!("{at}.key"), quoted(x["key"].str()), fault);
        }
    }
    e.0.len() == before
}

/// `metadata` of any object.
pub(super) fn metadata(e: &mut Errors, kind: Kind, value: &Value) {
    let meta = &value["metadata"];
    let name = meta["name"].str();
    if name.is_empty() {
        e.required("metadata.name", "name or generateName is required");
    } else {
        match kind {
            Kind::StatefulSet | Kind::Service | Kind::Namespace => {
                check_label(e, "metadata.name", name);
            }
            Kind::Role | Kind::ClusterRole | Kind::RoleBinding | Kind::ClusterRoleBinding => {
                if name == "." || name == ".." || name.contains(['/', '%']) {
                    e.invalid("metadata.name", quoted(name), "may not contain '/'");
                }
            }
            _ => check_subdomain(e, "metadata.name", name),
        }
    }
    if kind.info().namespaced && !is_label(meta["namespace"].str()) {
        check_label(e, "metadata.namespace", meta["namespace"].str());
    }
    labels(e, "metadata.labels", &meta["labels"]);
    annotations(e, "metadata.annotations", &meta["annotations"]);
    for f in meta["finalizers"].items() {
        for fault in qualified_faults(f.str()) {
            e.invalid("metadata.finalizers", quoted(f.str()), fault);
        }
    }
}
