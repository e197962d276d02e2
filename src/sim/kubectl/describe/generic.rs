//! Kinds without a layout of their own: their fields by name, under readable labels.

use std::fmt::Write as _;

use super::*;

/// Fields of the metadata that the first lines tell already, or that nobody wants to read.
const SKIPPED: [&str; 5] = ["managedFields", "name", "namespace", "labels", "annotations"];

pub(super) fn generic(out: &mut String, obj: &Obj) {
    line(out, "Name", &obj.name());
    // also where there is none
    line(out, "Namespace", obj.meta()["namespace"].str());
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    let mut shown = obj.value.clone();
    let metadata = shown.entry("metadata");
    for key in SKIPPED {
        metadata.remove(key);
    }
    fields(out, &shown, 0);
}

fn fields(out: &mut String, v: &Value, depth: usize) {
    let pad = "  ".repeat(depth);
    for (k, v) in v.pairs() {
        let label = label(k);
        match v {
            Value::Map(_) => {
                let _ = writeln!(out, "{pad}{label}:");
                fields(out, v, depth + 1);
            }
            Value::List(items) => {
                let _ = writeln!(out, "{pad}{label}:");
                for item in items.iter() {
                    if matches!(item, Value::Map(_)) {
                        fields(out, item, depth + 1);
                    } else {
                        let _ = writeln!(out, "{pad}  {}", plain(item));
                    }
                }
            }
            other => {
                let _ = writeln!(out, "{pad}{label}:\t{}", plain(other));
            }
        }
    }
}

/// A value as Go's `%v` prints it.
fn plain(v: &Value) -> String {
    match v {
        Value::Null => "<nil>".to_owned(),
        other => crate::kubectl::jsonpath::shown(other),
    }
}

/// `readyReplicas` as `Ready Replicas`; a key that is not a word stays as it is.
fn label(key: &str) -> String {
    if key.chars().any(|c| !c.is_alphabetic() && c != '-') {
        return key.to_owned();
    }
    let mut parts: Vec<String> = Vec::new();
    let mut words = words(key).into_iter().peekable();
    while let Some(mut word) = words.next() {
        // the plural of an abbreviation: `CIDRs` is one word
        if word.len() > 1
            && !word.chars().any(char::is_lowercase)
            && let Some(next) = words.next_if(|n| n.starts_with(char::is_uppercase))
        {
            word.push_str(&next);
        }
        let upper = word.to_uppercase();
        if matches!(upper.as_str(), "API" | "URL" | "UID" | "GUID") {
            word = upper;
        } else if !word.chars().any(char::is_uppercase) {
            let mut rest = word.chars();
            word = rest.next().map_or_else(String::new, |c| {
                c.to_uppercase().chain(rest.flat_map(char::to_lowercase)).collect()
            });
        }
        parts.push(word);
    }
    parts.join(" ")
}

/// Divides camel case where the class of the letters changes; the last capital of several
/// belongs to what follows.
fn words(key: &str) -> Vec<String> {
    let class = |c: char| (c.is_lowercase(), c.is_uppercase());
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for c in key.chars() {
        match words.last_mut() {
            Some(word) if last == Some(class(c)) => word.push(c),
            Some(word) if last == Some((false, true)) && c.is_lowercase() => {
                let capital = word.pop();
                if word.is_empty() {
                    words.pop();
                }
                words.push(capital.into_iter().chain([c]).collect());
            }
            _ => words.push(c.to_string()),
        }
        last = Some(class(c));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_words() {
        for (key, want) in [
            ("apiVersion", "API Version"),
            ("uid", "UID"),
            ("downwardAPI", "Downward API"),
            ("podCIDRs", "Pod CIDRs"),
            ("clusterIPs", "Cluster I Ps"),
            ("ownerReferences", "Owner References"),
            ("hostIPC", "Host IPC"),
            ("my-key", "My - Key"),
            ("example.com/x", "example.com/x"),
            ("key1", "key1"),
        ] {
            assert_eq!(label(key), want);
        }
    }
}
