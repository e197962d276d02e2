//! The difference that the server appends when a spec may not change: a unified diff of the
//! internal objects, whose fields have Go's names and order and print `null` when unset.

use std::fmt::Write as _;

use crate::value::Value;

/// Fields of a claim's spec in Go's order.
const CLAIM: &[&str] = &[
    "accessModes",
    "selector",
    "resources",
    "volumeName",
    "storageClassName",
    "volumeMode",
    "dataSource",
    "dataSourceRef",
    "volumeAttributesClassName",
];

/// Fields of a pod's spec in Go's order, those around what may differ most often.
const POD: &[&str] = &[
    "volumes",
    "initContainers",
    "containers",
    "ephemeralContainers",
    "restartPolicy",
    "terminationGracePeriodSeconds",
    "activeDeadlineSeconds",
    "dnsPolicy",
    "nodeSelector",
    "serviceAccountName",
    "automountServiceAccountToken",
    "nodeName",
    "securityContext",
    "imagePullSecrets",
    "hostname",
    "subdomain",
    "setHostnameAsFQDN",
    "affinity",
    "schedulerName",
    "tolerations",
    "hostAliases",
    "priorityClassName",
    "priority",
    "preemptionPolicy",
    "dnsConfig",
    "readinessGates",
    "runtimeClassName",
    "overhead",
    "enableServiceLinks",
    "topologySpreadConstraints",
    "os",
    "schedulingGates",
    "resourceClaims",
    "resources",
];

/// The difference of two claims' specs.
pub(super) fn claim(old: &Value, new: &Value) -> String {
    unified(&lines(old, CLAIM), &lines(new, CLAIM))
}

/// The difference of two pods' specs.
pub(super) fn pod(old: &Value, new: &Value) -> String {
    unified(&lines(old, POD), &lines(new, POD))
}

/// The difference of two volumes' sources.
pub(super) fn source(old: &Value, new: &Value, order: &[&str]) -> String {
    unified(&lines(old, order), &lines(new, order))
}

fn lines(v: &Value, order: &[&str]) -> Vec<String> {
    let mut out = vec!["{".to_owned()];
    for (i, key) in order.iter().enumerate() {
        let comma = if i + 1 < order.len() { "," } else { "" };
        write(&mut out, 1, Some(&go_name(key)), v.get(key), comma);
    }
    out.push("}".to_owned());
    out
}

/// A field's name in Go: `imagePullPolicy` is `ImagePullPolicy`.
pub(super) fn go_name(key: &str) -> String {
    let mut chars = key.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn write(out: &mut Vec<String>, depth: usize, key: Option<&str>, v: &Value, comma: &str) {
    let pad = " ".repeat(depth);
    let head = key.map_or_else(String::new, |k| format!("\"{k}\": "));
    match v {
        Value::List(l) if !l.is_empty() => {
            out.push(format!("{pad}{head}["));
            for (i, item) in l.iter().enumerate() {
                let comma = if i + 1 < l.len() { "," } else { "" };
                write(out, depth + 1, None, item, comma);
            }
            out.push(format!("{pad}]{comma}"));
        }
        Value::Map(m) if !m.is_empty() => {
            out.push(format!("{pad}{head}{{"));
            let mut left = m.len();
            for (k, item) in m.iter() {
                left -= 1;
                let comma = if left > 0 { "," } else { "" };
                write(out, depth + 1, Some(&go_name(k)), item, comma);
            }
            out.push(format!("{pad}}}{comma}"));
        }
        other => out.push(format!("{pad}{head}{other}{comma}")),
    }
}

/// A unified diff with three lines of context; one region suffices for what users change.
fn unified(old: &[String], new: &[String]) -> String {
    let same = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail =
        old[same..].iter().rev().zip(new[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let from = same.saturating_sub(3);
    let until = |end: usize, len: usize| (end + 3).min(len);
    let (old_until, new_until) = (until(old_end, old.len()), until(new_end, new.len()));
    let mut text =
        format!("@@ -{},{} +{},{} @@\n", from + 1, old_until - from, from + 1, new_until - from);
    for line in &old[from..same] {
        let _ = writeln!(text, " {line}");
    }
    for line in &old[same..old_end] {
        let _ = writeln!(text, "-{line}");
    }
    for line in &new[same..new_end] {
        let _ = writeln!(text, "+{line}");
    }
    for line in &old[old_end..old_until] {
        let _ = writeln!(text, " {line}");
    }
    text.pop();
    text
}
