//! Label selectors, as objects carry them (`matchLabels`, `matchExpressions`).

use crate::value::Value;

/// Does the label selector object match these labels? An empty selector matches all, a
/// missing one (`null`) nothing.
pub fn matches(selector: &Value, labels: &Value) -> bool {
    if selector.is_null() {
        return false;
    }
    selector["matchLabels"].pairs().all(|(k, v)| labels.get(k).as_str() == v.as_str())
        && selector["matchExpressions"].items().iter().all(|e| {
            let value = labels.get(e["key"].str()).as_str();
            let among = || e["values"].items().iter().any(|v| v.as_str() == value);
            match e["operator"].str() {
                "In" => value.is_some() && among(),
                "NotIn" => value.is_none() || !among(),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}

/// Does a plain map selector (`Service.spec.selector`) match? An empty one matches nothing.
pub fn matches_map(selector: &Value, labels: &Value) -> bool {
    !selector.is_empty() && selector.pairs().all(|(k, v)| labels.get(k).as_str() == v.as_str())
}
