//! StatefulSet, Deployment, ReplicaSet, PodDisruptionBudget (behaviour/validation.md 3).

use super::{Errors, names, percent, pod, quoted, storage};
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
    // the controller names pods itself, so these are not looked at
    let mut inner = s.clone();
    let template = inner.entry("template").entry("spec");
    template.remove("hostname");
    template.remove("subdomain");
    // what was accepted with a fault may be changed in other ways
    let skip = old.is_some_and(|old| {
        let mut e = Errors::default();
        let claims = claim_names(&old["spec"]);
        pod::template(&mut e, "", &old["spec"]["template"], &claims);
        !e.0.is_empty()
    });
    selector_and_template(e, &inner, "statefulset", (!skip).then(|| claim_names(s)).as_deref());
    forever(e, s, "StatefulSet");
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

fn claim_names(s: &Value) -> Vec<&str> {
    s["volumeClaimTemplates"].items().iter().map(|t| t["metadata"]["name"].str()).collect()
}

/// Workloads of pods that go on: they are started again, and have no deadline.
fn forever(e: &mut Errors, s: &Value, kind: &str) {
    let inner = &s["template"]["spec"];
    if let Some(p) = inner["restartPolicy"].as_str().filter(|p| *p != "Always") {
        e.unsupported("spec.template.spec.restartPolicy", p, &["Always"]);
    }
    if !inner["activeDeadlineSeconds"].is_null() {
        e.forbidden(
            "spec.template.spec.activeDeadlineSeconds",
            format!("activeDeadlineSeconds in {kind} is not Supported"),
        );
    }
}

/// The selector, and a template whose labels it must match; without `claims` only those.
fn selector_and_template(e: &mut Errors, s: &Value, kind: &str, claims: Option<&[&str]>) {
    let selector = &s["selector"];
    let template = &s["template"];
    let labels = &template["metadata"]["labels"];
    let empty = selector["matchLabels"].is_empty() && selector["matchExpressions"].is_empty();
    let mut usable = true;
    if selector.is_null() {
        e.required("spec.selector", "");
    } else {
        usable = names::selector(e, "spec.selector", selector);
        if empty {
            e.invalid("spec.selector", "{}", format!("empty selector is invalid for {kind}"));
        }
    }
    if !usable {
        let tail = if kind == "statefulset" { "" } else { ": invalid label selector" };
        let text = format!("Invalid value: {}{tail}", names::selector_text(selector));
        return e.add("spec.selector", text);
    }
    // an empty selector matches everything, none nothing
    if (selector.is_null() || !empty) && !matches(selector, labels) {
        let labels = if labels.is_empty() { "null".to_owned() } else { labels.to_string() };
        let detail = "`selector` does not match template `labels`";
        e.invalid("spec.template.metadata.labels", labels, detail);
    }
    match claims {
        Some(claims) => pod::template(e, "spec.template", template, claims),
        None => {
            names::labels(e, "spec.template.labels", labels);
            let notes = &template["metadata"]["annotations"];
            names::annotations(e, "spec.template.annotations", notes);
        }
    }
}

/// Is a number or a percentage nothing?
fn zero(v: &Value) -> bool {
    v.int_or(0) == 0 && percent(v.str()).unwrap_or(0) == 0
}

/// A Deployment.
pub(super) fn deployment(e: &mut Errors, d: &Value, old: Option<&Value>) {
    let s = &d["spec"];
    e.not_negative("spec.replicas", &s["replicas"]);
    selector_and_template(e, s, "deployment", Some(&[]));
    if names::selector(&mut Errors::default(), "", &s["selector"]) {
        forever(e, s, "ReplicaSet");
    }
    let strategy = &s["strategy"];
    let rolling = &strategy["rollingUpdate"];
    let field = "spec.strategy.rollingUpdate";
    match strategy["type"].str() {
        "Recreate" => {
            if !rolling.is_null() {
                e.forbidden(field, "may not be specified when strategy `type` is 'Recreate'");
            }
        }
        "RollingUpdate" => {
            let (down, up) = (&rolling["maxUnavailable"], &rolling["maxSurge"]);
            let at = format!("{field}.maxUnavailable");
            e.number_or_percent(&at, down);
            e.number_or_percent(&format!("{field}.maxSurge"), up);
            if zero(down) && zero(up) {
                e.invalid(&*at, down.to_string(), "may not be 0 when `maxSurge` is 0");
            }
            e.at_most_all(&at, down);
        }
        other => {
            unknown_strategy(e, "spec.strategy", other, rolling, &["Recreate", "RollingUpdate"]);
        }
    }
    e.not_negative("spec.minReadySeconds", &s["minReadySeconds"]);
    e.not_negative("spec.revisionHistoryLimit", &s["revisionHistoryLimit"]);
    e.not_negative("spec.progressDeadlineSeconds", &s["progressDeadlineSeconds"]);
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

/// A type of strategy that there is not; the server shows the whole strategy.
fn unknown_strategy(e: &mut Errors, field: &str, kind: &str, rolling: &Value, known: &[&str]) {
    let rolling = if rolling.is_null() {
        "null".to_owned()
    } else {
        let part = |key| rolling.get(key);
        format!(
            "{{\"MaxUnavailable\":{},\"MaxSurge\":{}}}",
            part("maxUnavailable"),
            part("maxSurge")
        )
    };
    let known: Vec<String> = known.iter().map(|k| quoted(k)).collect();
    let kind = quoted(kind);
    e.add(field, format!("Unsupported value: {{\"Type\":{kind},\"RollingUpdate\":{rolling}}}: supported values: {}", known.join(", ")));
}

/// A ReplicaSet.
pub(super) fn replicaset(e: &mut Errors, r: &Value, old: Option<&Value>) {
    let s = &r["spec"];
    e.not_negative("spec.replicas", &s["replicas"]);
    e.not_negative("spec.minReadySeconds", &s["minReadySeconds"]);
    selector_and_template(e, s, "deployment", Some(&[]));
    if names::selector(&mut Errors::default(), "", &s["selector"]) {
        forever(e, s, "ReplicaSet");
    }
    immutable_selector(e, s, old);
}

/// A DaemonSet.
pub(super) fn daemonset(e: &mut Errors, d: &Value, old: Option<&Value>) {
    let s = &d["spec"];
    let (selector, labels) = (&s["selector"], &s["template"]["metadata"]["labels"]);
    immutable_selector(e, s, old);
    let empty = selector["matchLabels"].is_empty() && selector["matchExpressions"].is_empty();
    if names::selector(e, "spec.selector", selector)
        && (selector.is_null() || !empty)
        && !matches(selector, labels)
    {
        let labels = if labels.is_empty() { "null".to_owned() } else { labels.to_string() };
        let detail = "`selector` does not match template `labels`";
        e.invalid("spec.template.metadata.labels", labels, detail);
    }
    if !selector.is_null() && empty {
        e.invalid("spec.selector", "{}", "empty selector is invalid for daemonset");
    }
    pod::template(e, "spec.template", &s["template"], &[]);
    forever(e, s, "DaemonSet");
    e.not_negative("spec.minReadySeconds", &s["minReadySeconds"]);
    let strategy = &s["updateStrategy"];
    let rolling = &strategy["rollingUpdate"];
    match strategy["type"].str() {
        "OnDelete" => {}
        "RollingUpdate" => {
            let (down, up) = (&rolling["maxUnavailable"], &rolling["maxSurge"]);
            let at = |key| format!("spec.updateStrategy.rollingUpdate.{key}");
            let both = [(at("maxUnavailable"), down), (at("maxSurge"), up)];
            for (field, v) in &both {
                e.number_or_percent(field, v);
            }
            for (field, v) in &both {
                e.at_most_all(field, v);
            }
            match (zero(down), zero(up)) {
                (false, false) => e.invalid(
                    at("maxSurge"),
                    up.to_string(),
                    "may not be set when maxUnavailable is non-zero",
                ),
                (true, true) => {
                    e.required(at("maxUnavailable"), "cannot be 0 when maxSurge is 0");
                }
                _ => {}
            }
        }
        other => unknown_strategy(
            e,
            "spec.updateStrategy",
            other,
            rolling,
            &["RollingUpdate", "OnDelete"],
        ),
    }
    e.not_negative("spec.revisionHistoryLimit", &s["revisionHistoryLimit"]);
}

fn immutable_selector(e: &mut Errors, s: &Value, old: Option<&Value>) {
    if let Some(old) = old
        && old["spec"]["selector"] != s["selector"]
    {
        let text = names::selector_text(&s["selector"]);
        e.invalid("spec.selector", text, "field is immutable");
    }
}

/// A PodDisruptionBudget.
pub(super) fn budget(e: &mut Errors, b: &Value) {
    let s = &b["spec"];
    if !s["minAvailable"].is_null() && !s["maxUnavailable"].is_null() {
        let policy = &s["unhealthyPodEvictionPolicy"];
        let text = format!(
            "{{\"MinAvailable\":{},\"Selector\":{},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{policy}}}",
            s["minAvailable"],
            names::selector_text(&s["selector"]),
            s["maxUnavailable"]
        );
        e.invalid("spec", text, "minAvailable and maxUnavailable cannot be both set");
    }
    for key in ["minAvailable", "maxUnavailable"] {
        let field = format!("spec.{key}");
        e.number_or_percent(&field, s.get(key));
        e.at_most_all(&field, s.get(key));
    }
    e.one_of(
        "spec.unhealthyPodEvictionPolicy",
        &s["unhealthyPodEvictionPolicy"],
        &["AlwaysAllow", "IfHealthyBudget"],
    );
    names::selector(e, "spec.selector", &s["selector"]);
}
