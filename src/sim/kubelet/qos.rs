//! `status.qosClass`.

use crate::value::Value;

/// Guaranteed: every container has equal requests and limits of CPU and memory; BestEffort:
/// none has any; Burstable: the rest.
pub fn qos_class(spec: &Value) -> &'static str {
    let mut any = false;
    let mut all = true;
    let containers = spec["containers"].items().iter().chain(spec["initContainers"].items());
    for c in containers {
        let (requests, limits) = (&c["resources"]["requests"], &c["resources"]["limits"]);
        for name in ["cpu", "memory"] {
            let (request, limit) = (&requests[name], &limits[name]);
            any |= set(request) || set(limit);
            // a limit without a request is the request too
            all &= set(limit) && (request.is_null() || request.to_string() == limit.to_string());
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (_, true) => "Guaranteed",
        _ => "Burstable",
    }
}

fn set(quantity: &Value) -> bool {
    match quantity {
        Value::Str(s) => !s.is_empty() && s.as_str() != "0",
        other => !other.is_empty(),
    }
}
