//! Autoscalers: what they measure, and how they may act.

use std::fmt::Write as _;

use super::*;

pub(super) fn autoscaler(out: &mut String, obj: &Obj) {
    let (spec, status) = (obj.spec(), obj.status());
    head(out, obj);
    line(out, "CreationTimestamp", &time(&obj.meta()["creationTimestamp"]));
    let target = &spec["scaleTargetRef"];
    line(out, "Reference", &format!("{}/{}", target["kind"].str(), target["name"].str()));
    line(out, "Metrics", "( current / target )");
    for (i, m) in spec["metrics"].items().iter().enumerate() {
        let now = status["currentMetrics"].items().get(i).unwrap_or(&Value::Null);
        out.push_str(&metric(m, now));
    }
    let least = spec["minReplicas"].as_int().map_or("<unset>".to_owned(), |n| n.to_string());
    line(out, "Min replicas", &least);
    line(out, "Max replicas", &spec["maxReplicas"].int_or(0).to_string());
    if !spec["behavior"].is_null() {
        out.push_str("Behavior:\n");
        direction(out, "Scale Up", &spec["behavior"]["scaleUp"]);
        direction(out, "Scale Down", &spec["behavior"]["scaleDown"]);
    }
    let _ = writeln!(
        out,
        "{} pods:\t{} current / {} desired",
        target["kind"].str(),
        status["currentReplicas"].int_or(0),
        status["desiredReplicas"].int_or(0)
    );
    if !status["conditions"].is_empty() {
        out.push_str(
            "Conditions:\n  Type\tStatus\tReason\tMessage\n  ----\t------\t------\t-------\n",
        );
    }
    for c in status["conditions"].items() {
        let [kind, is, reason, message] =
            ["type", "status", "reason", "message"].map(|f| c[f].str());
        let _ = writeln!(out, "  {kind}\t{is}\t{reason}\t{message}");
    }
}

/// Name of a metric's own field.
fn source(kind: &str) -> &'static str {
    match kind {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        _ => "external",
    }
}

/// One metric's line; `now` is what the status says of it.
fn metric(m: &Value, now: &Value) -> String {
    let kind = m["type"].str();
    let (own, now) = (&m[source(kind)], &now[source(kind)]);
    let (target, current) = (&own["target"], &now["current"]);
    let name = own["metric"]["name"].str();
    let amounts = |field: &str| {
        let measured =
            if now.is_null() { "<unknown>" } else { current[field].as_str().unwrap_or("<nil>") };
        format!("{measured} / {}", target[field].as_str().unwrap_or("<nil>"))
    };
    match kind {
        "External" if !target["averageValue"].is_null() => {
            format!("  {name:?} (target average value):\t{}\n", amounts("averageValue"))
        }
        "External" => format!("  {name:?} (target value):\t{}\n", amounts("value")),
        "Pods" => format!("  {name:?} on pods:\t{}\n", amounts("averageValue")),
        "Object" => {
            let about = &own["describedObject"];
            let about = format!("{}/{}", about["kind"].str(), about["name"].str());
            if target["type"].str() == "AverageValue" {
                let amounts = amounts("averageValue");
                format!("  \"{name}\" on {about} (target average value):\t{amounts}\n")
            } else {
                format!("  \"{name}\" on {about} (target value):\t{}\n", amounts("value"))
            }
        }
        "Resource" | "ContainerResource" => {
            let mut text = format!("  resource {}", own["name"].str());
            if kind == "ContainerResource" {
                let _ = write!(text, " of container \"{}\"", own["container"].str());
            }
            text.push_str(" on pods");
            if target["averageValue"].is_null() {
                let measured = current["averageUtilization"].as_int().map_or_else(
                    || "<unknown>".to_owned(),
                    |n| format!("{n}% ({})", current["averageValue"].str()),
                );
                let wanted = target["averageUtilization"]
                    .as_int()
                    .map_or_else(|| "<auto>".to_owned(), |n| format!("{n}%"));
                // kubectl indents the second half once more
                let _ = writeln!(text, "  (as a percentage of request):\t{measured} / {wanted}");
            } else {
                let _ = writeln!(text, ":\t{}", amounts("averageValue"));
            }
            text
        }
        other => format!("  <unknown metric type {other:?}>\n"),
    }
}

fn direction(out: &mut String, label: &str, rules: &Value) {
    if rules.is_null() {
        return;
    }
    let _ = writeln!(out, "  {label}:");
    if let Some(n) = rules["stabilizationWindowSeconds"].as_int() {
        let _ = writeln!(out, "    Stabilization Window: {n} seconds");
    }
    if rules["policies"].is_empty() {
        return;
    }
    let select = rules["selectPolicy"].as_str().unwrap_or("Max");
    let _ = writeln!(out, "    Select Policy: {select}\n    Policies:");
    for p in rules["policies"].items() {
        let _ = writeln!(
            out,
            "      - Type: {}\tValue: {}\tPeriod: {} seconds",
            p["type"].str(),
            p["value"].int_or(0),
            p["periodSeconds"].int_or(0)
        );
    }
}
