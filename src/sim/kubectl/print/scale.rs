//! The TARGETS column of autoscalers.

use crate::api::Obj;
use crate::value::Value;

/// At most so many metrics are shown.
const MOST: usize = 2;

/// `cpu: 20%/80%, <unknown>/10 + 1 more...`
pub fn targets(hpa: &Obj) -> String {
    let metrics = hpa.spec()["metrics"].items();
    if metrics.is_empty() {
        return "<none>".to_owned();
    }
    let measured = hpa.status()["currentMetrics"].items();
    let shown: Vec<String> = metrics
        .iter()
        .enumerate()
        .take(MOST)
        .map(|(i, m)| target(m, measured.get(i).unwrap_or(&Value::Null)))
        .collect();
    let text = shown.join(", ");
    match metrics.len() {
        n if n > MOST => format!("{text} + {} more...", n - MOST),
        _ => text,
    }
}

/// One metric: what is measured and what is aimed at.
fn target(m: &Value, now: &Value) -> String {
    let field = match m["type"].str() {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => return "<unknown type>".to_owned(),
    };
    let (own, current) = (&m[field], &now[field]["current"]);
    let target = &own["target"];
    let amounts = |of: &str| {
        let is = current[of].as_str().unwrap_or("<unknown>");
        format!("{is}/{}", target[of].as_str().unwrap_or("<nil>"))
    };
    match field {
        "pods" => amounts("averageValue"),
        "object" | "external" if target["averageValue"].is_null() => amounts("value"),
        "object" | "external" => format!("{} (avg)", amounts("averageValue")),
        _ if target["averageValue"].is_null() => {
            let percent = |v: &Value, unset: &str| {
                v.as_int().map_or_else(|| unset.to_owned(), |n| format!("{n}%"))
            };
            let is = percent(&current["averageUtilization"], "<unknown>");
            let wanted = percent(&target["averageUtilization"], "<auto>");
            format!("{}: {is}/{wanted}", own["name"].str())
        }
        _ => format!("{}: {}", own["name"].str(), amounts("averageValue")),
    }
}
