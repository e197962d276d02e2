//! StatefulSet, Deployment, ReplicaSet, PodDisruptionBudget (behaviour/validation.md 3).

use super::{Errors, names, pod, quoted, storage};
use crate::api::selector::matches;
use crate::value::Value;

/// Internal form of a strategy, as Go prints a struct without JSON names.
fn rolling_text(r: &Value) -> String {
    if r.is_null() {
        return "null".into();
    }
    format!("{{\"Partition\":{},\"MaxUnavailable\":null}}", r["partition"])
}

/// A StatefulSet; with its old version, an update.
pub(super) fn statefulset(e: &mut Errors, set: &Value, old: Option<&Value>) {
    let s = &set["spec"];
    let policy = s["podManagementPolicy"].str();
    if policy.is_empty() {
        e.required("spec.podManagementPolicy", "");
    } else if !matches!(policy, "OrderedReady" | "Parallel") {
        e.invalid(
            "spec.podManagementPolicy",
            quoted(policy),
            "must be 'OrderedReady' or 'Parallel'",
        );
    }
    let strategy = &s["updateStrategy"];
    let rolling = &strategy["rollingUpdate"];
    match strategy["type"].str() {
        "" => e.required("spec.updateStrategy", ""),
        "OnDelete" => {
            if !rolling.is_null() {
                e.invalid(
                    "spec.updateStrategy.rollingUpdate",
                    rolling_text(rolling),
                    "only allowed for updateStrategy 'RollingUpdate'",
                );
            }
        }
        "RollingUpdate" => {
            e.not_negative("spec.updateStrategy.rollingUpdate.partition", &rolling["partition"]);
        }
        other => e.invalid(
            "spec.updateStrategy",
            format!("{{\"Type\":{},\"RollingUpdate\":null}}", quoted(other)),
            "must be 'RollingUpdate' or 'OnDelete'",
        ),
    }
    let retention = &s["persistentVolumeClaimRetentionPolicy"];
    for when in ["whenDeleted", "whenScaled"] {
        let field = format!("spec.persistentVolumeClaimRetentionPolicy.{when}");
        e.one_of(field, retention.get(when), &["Retain", "Delete"]);
    }
    let templates = s["volumeClaimTemplates"].items();
    if old.is_none() {
        for (i, t) in templates.iter().enumerate() {
            storage::claim_spec(e, &format!("spec.volumeClaimTemplates[{i}].spec"), &t["spec"]);
        }
    }
    e.not_negative("spec.replicas", &s["replicas"]);
    e.not_negative("spec.minReadySeconds", &s["minReadySeconds"]);
    e.not_negative("spec.ordinals.start", &s["ordinals"]["start"]);
    let service = s["serviceName"].str();
    if old.is_none() && !service.is_empty() {
        names::check_label(e, "spec.serviceName", service);
    }
    let names: Vec<&str> = templates.iter().map(|t| t["metadata"]["name"].str()).collect();
    selector_and_template(e, s, "statefulset", &names);
    let inner = &s["template"]["spec"];
    if let Some(p) = inner["restartPolicy"].as_str().filter(|p| matches!(*p, "OnFailure" | "Never"))
    {
        e.unsupported("spec.template.spec.restartPolicy", p, &["Always"]);
    }
    if !inner["activeDeadlineSeconds"].is_null() {
        e.forbidden(
            "spec.template.spec.activeDeadlineSeconds",
            "activeDeadlineSeconds in StatefulSet is not Supported",
        );
    }
    if let Some(old) = old {
        let rest = |v: &Value| {
            let mut s = v["spec"].clone();
            for field in [
                "replicas",
                "ordinals",
                "template",
                "updateStrategy",
                "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy",
                "minReadySeconds",
            ] {
                s.remove(field);
            }
            s
        };
        if rest(set) != rest(old) {
            e.forbidden("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
        }
    }
}

/// The selector, and a template whose labels it must match.
fn selector_and_template(e: &mut Errors, s: &Value, kind: &str, claims: &[&str]) {
    let selector = &s["selector"];
    let template = &s["template"];
    let mut usable = true;
    if selector.is_null() {
        e.required("spec.selector", "");
    } else {
        usable = names::selector(e, "spec.selector", selector);
        if selector["matchLabels"].is_empty() && selector["matchExpressions"].is_empty() {
            e.invalid("spec.selector", "{}", format!("empty selector is invalid for {kind}"));
        }
    }
    if usable {
        if !matches(selector, &template["metadata"]["labels"]) {
            let labels = match &template["metadata"]["labels"] {
                Value::Null => "null".to_owned(),
                l => l.to_string(),
            };
            e.invalid(
                "spec.template.metadata.labels",
                labels,
                "`selector` does not match template `labels`",
            );
        }
    } else {
        e.add("spec.selector", format!("Invalid value: {selector}"));
    }
    pod::template(e, "spec.template", template, claims);
}

/// A Deployment.
pub(super) fn deployment(e: &mut Errors, d: &Value, old: Option<&Value>) {
    let s = &d["spec"];
    e.not_negative("spec.replicas", &s["replicas"]);
    selector_and_template(e, s, "deployment", &[]);
    restart_always(e, s);
    let strategy = &s["strategy"];
    let rolling = &strategy["rollingUpdate"];
    match strategy["type"].str() {
        "Recreate" => {
            if !rolling.is_null() {
                e.forbidden(
                    "spec.strategy.rollingUpdate",
                    "may not be specified when strategy `type` is 'Recreate'",
                );
            }
        }
        "RollingUpdate" => {
            let zero = |v: &Value| matches!(v, Value::Int(0)) || v.str() == "0%";
            for key in ["maxUnavailable", "maxSurge"] {
                let field = format!("spec.strategy.rollingUpdate.{key}");
                match rolling.get(key) {
                    v @ Value::Int(_) => e.not_negative(field, v),
                    Value::Str(p) => {
                        let number = p.strip_suffix('%').and_then(|n| n.parse::<u32>().ok());
                        if number.is_none() {
                            e.invalid(field, quoted(p), "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
                        }
                    }
                    _ => {}
                }
            }
            if zero(&rolling["maxUnavailable"]) && zero(&rolling["maxSurge"]) {
                let v = &rolling["maxUnavailable"];
                e.invalid(
                    "spec.strategy.rollingUpdate.maxUnavailable",
                    v.to_string(),
                    "may not be 0 when `maxSurge` is 0",
                );
            }
        }
        other => e.unsupported("spec.strategy.type", other, &["Recreate", "RollingUpdate"]),
    }
    e.not_negative("spec.minReadySeconds", &s["minReadySeconds"]);
    e.not_negative("spec.revisionHistoryLimit", &s["revisionHistoryLimit"]);
    let (deadline, min) = (s["progressDeadlineSeconds"].as_int(), s["minReadySeconds"].int_or(0));
    if let Some(n) = deadline.filter(|n| *n <= min) {
        e.invalid(
            "spec.progressDeadlineSeconds",
            n.to_string(),
            "must be greater than minReadySeconds",
        );
    }
    immutable_selector(e, s, old);
}

/// A ReplicaSet.
pub(super) fn replicaset(e: &mut Errors, r: &Value, old: Option<&Value>) {
    let s = &r["spec"];
    e.not_negative("spec.replicas", &s["replicas"]);
    e.not_negative("spec.minReadySeconds", &s["minReadySeconds"]);
    selector_and_template(e, s, "deployment", &[]);
    restart_always(e, s);
    immutable_selector(e, s, old);
}

fn restart_always(e: &mut Errors, s: &Value) {
    let inner = &s["template"]["spec"];
    if let Some(p) = inner["restartPolicy"].as_str().filter(|p| matches!(*p, "OnFailure" | "Never"))
    {
        e.unsupported("spec.template.spec.restartPolicy", p, &["Always"]);
    }
    if !inner["activeDeadlineSeconds"].is_null() {
        e.forbidden(
            "spec.template.spec.activeDeadlineSeconds",
            "activeDeadlineSeconds in ReplicaSet is not Supported",
        );
    }
}

fn immutable_selector(e: &mut Errors, s: &Value, old: Option<&Value>) {
    if let Some(old) = old
        && old["spec"]["selector"] != s["selector"]
    {
        e.invalid("spec.selector", s["selector"].to_string(), "field is immutable");
    }
}

/// A PodDisruptionBudget.
pub(super) fn budget(e: &mut Errors, b: &Value) {
    let s = &b["spec"];
    if !s["minAvailable"].is_null() && !s["maxUnavailable"].is_null() {
        let policy = &s["unhealthyPodEvictionPolicy"];
        let text = format!(
            "{{\"MinAvailable\":{},\"Selector\":{},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{policy}}}",
            s["minAvailable"], s["selector"], s["maxUnavailable"]
        );
        e.invalid("spec", text, "minAvailable and maxUnavailable cannot be both set");
    }
    for key in ["minAvailable", "maxUnavailable"] {
        let field = format!("spec.{key}");
        match s.get(key) {
            v @ Value::Int(_) => e.not_negative(field, v),
            Value::Str(p) => {
                let number = p.strip_suffix('%').and_then(|n| n.parse::<u32>().ok());
                match number {
                    None => e.invalid(field, quoted(p), "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"),
                    Some(n) if n > 100 => e.invalid(field, quoted(p), "must not be greater than 100%"),
                    Some(_) => {}
                }
            }
            _ => {}
        }
    }
    e.one_of(
        "spec.unhealthyPodEvictionPolicy",
        &s["unhealthyPodEvictionPolicy"],
        &["AlwaysAllow", "IfHealthyBudget"],
    );
    names::selector(e, "spec.selector", &s["selector"]);
}
