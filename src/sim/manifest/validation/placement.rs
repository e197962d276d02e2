//! Where pods may run: affinity, tolerations, spreading (behaviour/validation.md 4).

use super::{Errors, diff, names, quoted};
use crate::value::Value;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

fn weight(e: &mut Errors, at: &str, t: &Value) {
    let weight = t["weight"].int_or(0);
    if !(1..=100).contains(&weight) {
        e.invalid(format!("{at}.weight"), weight.to_string(), "must be in the range 1-100");
    }
}

/// `affinity` of a pod.
pub(super) fn affinity(e: &mut Errors, path: &str, a: &Value) {
    let node = &a["nodeAffinity"];
    let at = format!("{path}.nodeAffinity");
    if !node[REQUIRED].is_null() {
        node_selector(e, &format!("{at}.{REQUIRED}"), &node[REQUIRED]);
    }
    for (i, t) in node[PREFERRED].items().iter().enumerate() {
        let at = format!("{at}.{PREFERRED}[{i}]");
        weight(e, &at, t);
        node_term(e, &format!("{at}.preference"), &t["preference"]);
    }
    for which in ["podAffinity", "podAntiAffinity"] {
        let field = format!("{path}.{which}");
        for (i, t) in a[which][REQUIRED].items().iter().enumerate() {
            pod_term(e, &format!("{field}.{REQUIRED}[{i}]"), t);
        }
        for (i, t) in a[which][PREFERRED].items().iter().enumerate() {
            let at = format!("{field}.{PREFERRED}[{i}]");
            weight(e, &at, t);
            pod_term(e, &format!("{at}.podAffinityTerm"), &t["podAffinityTerm"]);
        }
    }
}

/// A selector of nodes: at least one term.
pub(super) fn node_selector(e: &mut Errors, at: &str, s: &Value) {
    let terms = s["nodeSelectorTerms"].items();
    if terms.is_empty() {
        e.required(format!("{at}.nodeSelectorTerms"), "must have at least one node selector term");
    }
    for (i, t) in terms.iter().enumerate() {
        node_term(e, &format!("{at}.nodeSelectorTerms[{i}]"), t);
    }
}

fn node_term(e: &mut Errors, at: &str, t: &Value) {
    for (i, x) in t["matchExpressions"].items().iter().enumerate() {
        names::requirement(e, &format!("{at}.matchExpressions[{i}]"), x, true);
    }
    for (i, x) in t["matchFields"].items().iter().enumerate() {
        let at = format!("{at}.matchFields[{i}]");
        match x["operator"].str() {
            "In" | "NotIn" if x["values"].len() != 1 => e.required(
                format!("{at}.values"),
                "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
            ),
            "In" | "NotIn" => {}
            other => {
                let detail = "not a valid selector operator";
                e.invalid(format!("{at}.operator"), quoted(other), detail);
            }
        }
        if x["key"].str() != "metadata.name" {
            let key = quoted(x["key"].str());
            e.invalid(format!("{at}.key"), key, "not a valid field selector key");
        }
    }
}

fn pod_term(e: &mut Errors, at: &str, t: &Value) {
    names::selector(e, &format!("{at}.labelSelector"), &t["labelSelector"]);
    names::selector(e, &format!("{at}.namespaceSelector"), &t["namespaceSelector"]);
    for name in t["namespaces"].items() {
        names::check_label(e, &format!("{at}.namespace"), name.str());
    }
    label_keys(e, at, t);
    let key = t["topologyKey"].str();
    if key.is_empty() {
        e.required(format!("{at}.topologyKey"), "can not be empty");
    }
    names::check_qualified(e, &format!("{at}.topologyKey"), key);
}

/// Keys whose values are taken from the pod itself.
fn label_keys(e: &mut Errors, at: &str, t: &Value) {
    let other = t["mismatchLabelKeys"].items();
    for key in ["matchLabelKeys", "mismatchLabelKeys"] {
        let field = format!("{at}.{key}");
        if !t[key].is_empty() && t["labelSelector"].is_null() {
            e.forbidden(field, "must not be specified when labelSelector is not set");
            continue;
        }
        for (i, k) in t[key].items().iter().enumerate() {
            names::check_qualified(e, &format!("{field}[{i}]"), k.str());
        }
    }
    for (i, k) in t["matchLabelKeys"].items().iter().enumerate().filter(|(_, k)| other.contains(k))
    {
        let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
        e.invalid(format!("{at}.matchLabelKeys[{i}]"), quoted(k.str()), detail);
    }
}

/// `topologySpreadConstraints` of a pod.
pub(super) fn spread(e: &mut Errors, field: &str, s: &Value) {
    let all = s["topologySpreadConstraints"].items();
    for (i, c) in all.iter().enumerate() {
        let at = format!("{field}[{i}]");
        let skew = c["maxSkew"].int_or(0);
        if skew <= 0 {
            e.invalid(format!("{at}.maxSkew"), skew.to_string(), "must be greater than zero");
        }
        let (key, action) = (c["topologyKey"].str(), c["whenUnsatisfiable"].str());
        if key.is_empty() {
            e.required(format!("{at}.topologyKey"), "can not be empty");
        }
        let known = ["DoNotSchedule", "ScheduleAnyway"];
        if !known.contains(&action) {
            e.unsupported(format!("{at}.whenUnsatisfiable"), action, &known);
        }
        let same =
            |o: &Value| o["topologyKey"].str() == key && o["whenUnsatisfiable"].str() == action;
        if all[i + 1..].iter().any(same) {
            e.duplicate(
                format!("{at}.{{topologyKey, whenUnsatisfiable}}"),
                &quoted(&format!("{{{key}, {action}}}")),
            );
        }
        if let Some(n) = c["minDomains"].as_int() {
            let field = format!("{at}.minDomains");
            if n <= 0 {
                e.invalid(&*field, n.to_string(), "must be greater than zero");
            }
            if action != "DoNotSchedule" {
                let detail = format!(
                    "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
                );
                e.invalid(field, n.to_string(), detail);
            }
        }
        for key in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            e.one_of(format!("{at}.{key}"), c.get(key), &["Honor", "Ignore"]);
        }
        label_keys(e, &at, c);
        names::selector(e, &format!("{at}.labelSelector"), &c["labelSelector"]);
    }
}

/// `tolerations` of a pod.
pub(super) fn tolerations(e: &mut Errors, field: &str, list: &[Value]) {
    for (i, t) in list.iter().enumerate() {
        let at = format!("{field}[{i}]");
        let (key, value) = (t["key"].str(), t["value"].str());
        let (operator, effect) = (t["operator"].str(), t["effect"].str());
        if key.is_empty() {
            if operator != "Exists" {
                e.invalid(format!("{at}.operator"), quoted(operator), "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
            }
        } else {
            names::check_qualified(e, &format!("{at}.key"), key);
        }
        if !t["tolerationSeconds"].is_null() && effect != "NoExecute" {
            e.invalid(
                format!("{at}.effect"),
                quoted(effect),
                "effect must be 'NoExecute' when `tolerationSeconds` is set",
            );
        }
        match operator {
            "Equal" | "" => {
                let faults = names::label_value_faults(value);
                if !faults.is_empty() {
                    e.invalid(format!("{at}.operator"), quoted(value), faults.join(";"));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    let detail = "value must be empty when `operator` is 'Exists'";
                    let shown = diff::compact("Toleration", t);
                    e.invalid(format!("{at}.operator"), shown, detail);
                }
            }
            other => e.unsupported(format!("{at}.operator"), other, &["Equal", "Exists"]),
        }
        if !effect.is_empty() {
            let known = &["NoSchedule", "PreferNoSchedule", "NoExecute"];
            e.one_of(format!("{at}.effect"), &t["effect"], known);
        }
    }
}

/// An update may add tolerations, and change how long one of them holds.
pub(super) fn only_added(e: &mut Errors, field: &str, new: &Value, old: &Value) {
    let bare = |t: &Value| {
        let mut t = t.clone();
        t.remove("tolerationSeconds");
        t
    };
    let kept: Vec<Value> = new["tolerations"].items().iter().map(bare).collect();
    if old["tolerations"].items().iter().any(|t| !kept.contains(&bare(t))) {
        e.forbidden(field, "existing toleration can not be modified except its tolerationSeconds");
    }
}

/// Taints of a node.
pub(super) fn taints(e: &mut Errors, taints: &Value) {
    for (i, t) in taints.items().iter().enumerate() {
        let at = format!("metadata.taints[{i}]");
        names::check_qualified(e, &format!("{at}.key"), t["key"].str());
        let faults = names::label_value_faults(t["value"].str());
        if !faults.is_empty() {
            e.invalid(format!("{at}.value"), quoted(t["value"].str()), faults.join(";"));
        }
        if t["effect"].is_empty() {
            e.required(format!("{at}.effect"), "");
        } else {
            let known = &["NoSchedule", "PreferNoSchedule", "NoExecute"];
            e.one_of(format!("{at}.effect"), &t["effect"], known);
        }
    }
}
