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

/// A label selector in a line, `app=web,tier in (a,b)`.
pub fn line(selector: &Value) -> String {
    let mut parts: Vec<String> =
        selector["matchLabels"].pairs().map(|(k, v)| format!("{k}={}", v.str())).collect();
    for e in selector["matchExpressions"].items() {
        let key = e["key"].str();
        let mut values: Vec<&str> = e["values"].items().iter().map(Value::str).collect();
        values.sort_unstable();
        let values = values.join(",");
        parts.push(match e["operator"].str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        });
    }
    parts.join(",")
}

/// A label selector as Go prints the structure.
pub fn structure(selector: &Value) -> String {
    let labels = &selector["matchLabels"];
    let labels: String = labels.pairs().map(|(k, v)| format!("{k}: {},", v.str())).collect();
    let requirement = |e: &Value| {
        let values: Vec<&str> = e["values"].items().iter().map(Value::str).collect();
        format!(
            "LabelSelectorRequirement{{Key:{},Operator:{},Values:[{}],}},",
            e["key"].str(),
            e["operator"].str(),
            values.join(" ")
        )
    };
    let expressions: String =
        selector["matchExpressions"].items().iter().map(requirement).collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn selectors_as_lines() {
        let selector = value!({
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["b", "a"]},
                {"key": "old", "operator": "DoesNotExist"}
            ],
            "matchLabels": {"app": "web"}
        });
        assert_eq!(line(&selector), "app=web,tier in (a,b),!old");
        assert_eq!(
            structure(&selector),
            "&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:tier,Operator:In,Values:[b a],},LabelSelectorRequirement{Key:old,Operator:DoesNotExist,Values:[],},},}"
        );
    }
}
