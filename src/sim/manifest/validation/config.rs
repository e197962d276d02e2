//! ConfigMaps and Secrets.

use super::{Errors, names, quoted};
use crate::value::Value;

/// Most bytes of a ConfigMap or Secret.
const MOST: usize = 1 << 20;

fn keys(e: &mut Errors, field: &str, data: &Value) {
    for (key, _) in data.pairs() {
        for fault in names::config_key_faults(key) {
            e.invalid(format!("{field}[{key}]"), quoted(key), fault);
        }
    }
}

/// What was declared immutable stays.
fn immutable(e: &mut Errors, new: &Value, old: Option<&Value>, fields: &[&str]) {
    let Some(old) = old.filter(|o| o["immutable"].is_true()) else { return };
    let detail = "field is immutable when `immutable` is set";
    if !new["immutable"].is_true() {
        e.forbidden("immutable", detail);
    }
    for field in fields.iter().filter(|f| new.get(f) != old.get(f)) {
        e.forbidden(*field, detail);
    }
}

/// A ConfigMap.
pub(super) fn config_map(e: &mut Errors, c: &Value, old: Option<&Value>) {
    immutable(e, c, old, &["data", "binaryData"]);
    let mut size = 0;
    for (key, v) in c["data"].pairs() {
        let field = format!("data[{key}]");
        for fault in names::config_key_faults(key) {
            e.invalid(&*field, quoted(key), fault);
        }
        if c["binaryData"].has(key) {
            e.invalid(field, quoted(key), "duplicate of key present in binaryData");
        }
        size += v.str().len();
    }
    keys(e, "binaryData", &c["binaryData"]);
    size += c["binaryData"].pairs().map(|(_, v)| v.str().len() / 4 * 3).sum::<usize>();
    if size > MOST {
        e.add("[]", format!("Too long: may not be more than {MOST} bytes"));
    }
}

/// A Secret.
pub(super) fn secret(e: &mut Errors, s: &Value, old: Option<&Value>) {
    if old.is_some_and(|o| o["type"] != s["type"]) {
        e.invalid("type", s["type"].to_string(), "field is immutable");
    }
    immutable(e, s, old, &["data"]);
    keys(e, "data", &s["data"]);
    let size: usize = s["data"].pairs().map(|(_, v)| v.str().len() / 4 * 3).sum();
    if size > MOST {
        e.add("data", format!("Too long: may not be more than {MOST} bytes"));
    }
    let needed: &[&str] = match s["type"].str() {
        "kubernetes.io/service-account-token" => {
            let note = "kubernetes.io/service-account.name";
            if s["metadata"]["annotations"].get(note).is_empty() {
                e.required(format!("metadata.annotations[{note}]"), "");
            }
            &[]
        }
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/basic-auth" => {
            let both = ["username", "password"];
            if both.iter().all(|k| !s["data"].has(k)) {
                for k in both {
                    e.required(format!("data[{k}]"), "");
                }
            }
            &[]
        }
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        _ => &[],
    };
    for key in needed {
        if !s["data"].has(key) {
            e.required(format!("data[{key}]"), "");
        }
    }
}
