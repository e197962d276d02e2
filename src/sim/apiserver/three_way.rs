//! The patch that `kubectl apply` computes: what differs between the live object and the file,
//! and what the last file had and this one has not (behaviour/kubectl.md 3).

use crate::api::Kind;
use crate::apiserver::patch::{inner, merge_key, merged_set, retains_keys};
use crate::value::{Str, Value};

/// The strategic merge patch; `{}` means "unchanged".
pub fn three_way(kind: Kind, last: &Value, live: &Value, file: &Value) -> Value {
    let owner = kind.info().kind;
    let mut patch = changes(owner, live, file);
    deletions(owner, last, live, file, &mut patch);
    patch
}

/// Fields of `file` that differ from `live`; fields that `file` lacks do not count.
fn changes(owner: &str, live: &Value, file: &Value) -> Value {
    let mut patch = Value::map();
    for (key, v) in file.pairs() {
        let old = live.get(key);
        match (old, v) {
            (_, Value::Null) => {
                if live.has(key) && !old.is_null() {
                    patch.set(key, Value::Null);
                }
            }
            (Value::Map(_), Value::Map(_)) => {
                let mut part = changes(inner(owner, key), old, v);
                if !part.is_empty() {
                    if retains_keys(owner, key) {
                        part.set("$retainKeys", keys(v));
                    }
                    patch.set(key, part);
                }
            }
            (Value::List(_), Value::List(_)) => {
                if let Some(list) = list_changes(owner, key, old, v) {
                    set_order(owner, key, v, &mut patch);
                    patch.set(key, list);
                }
            }
            _ if old == v => {}
            _ => patch.set(key, v),
        }
    }
    patch
}

/// Names of the fields of a map, in order.
fn keys(v: &Value) -> Vec<Value> {
    v.pairs().map(|(k, _)| k.clone().into()).collect()
}

/// Says in which order the items of a merged list shall stand.
fn set_order(owner: &str, field: &str, file: &Value, patch: &mut Value) {
    let order: Vec<Value> = if merged_set(owner, field) {
        file.items().to_vec()
    } else if let Some(key) = merge_key(owner, field) {
        let one = |item: &Value| {
            let mut v = Value::map();
            v.set(key, &item[key]);
            v
        };
        file.items().iter().map(one).collect()
    } else {
        return;
    };
    patch.set(format!("$setElementOrder/{field}"), order);
}

fn list_changes(owner: &str, field: &str, live: &Value, file: &Value) -> Option<Value> {
    if merged_set(owner, field) {
        let new: Vec<Value> =
            file.items().iter().filter(|x| !live.items().contains(x)).cloned().collect();
        return (!new.is_empty()).then(|| new.into());
    }
    let Some(key) = merge_key(owner, field) else {
        return (live != file).then(|| file.clone());
    };
    let mut list = Vec::new();
    for item in file.items() {
        match live.items().iter().find(|x| x[key] == item[key]) {
            None => list.push(item.clone()),
            Some(old) => {
                let mut part = changes(inner(owner, field), old, item);
                if !part.is_empty() {
                    part.set(key, &item[key]);
                    if retains_keys(owner, field) {
                        part.set("$retainKeys", keys(item));
                    }
                    list.push(part);
                }
            }
        }
    }
    (!list.is_empty()).then(|| list.into())
}

/// Adds to the patch what `last` had, `file` has no more and `live` still has.
fn deletions(owner: &str, last: &Value, live: &Value, file: &Value, patch: &mut Value) {
    for (key, was) in last.pairs() {
        if live.get(key).is_null() {
            continue;
        }
        let new = file.get(key);
        if new.is_null() {
            patch.set(key, Value::Null);
            continue;
        }
        match (was, new) {
            (Value::Map(_), Value::Map(_)) => {
                let mut part = patch.get(key).clone();
                if part.is_null() {
                    part = Value::map();
                }
                deletions(inner(owner, key), was, live.get(key), new, &mut part);
                if !part.is_empty() {
                    if retains_keys(owner, key) {
                        part.set("$retainKeys", keys(new));
                    }
                    patch.set(key, part);
                }
            }
            (Value::List(_), Value::List(_)) => list_deletions(owner, key, was, live, new, patch),
            _ => {}
        }
    }
}

fn list_deletions(
    owner: &str,
    field: &Str,
    was: &Value,
    live: &Value,
    new: &Value,
    patch: &mut Value,
) {
    let current = live.get(field);
    if merged_set(owner, field) {
        let gone: Vec<Value> =
            was.items().iter().filter(|x| !new.items().contains(x)).cloned().collect();
        if !gone.is_empty() {
            set_order(owner, field, new, patch);
            patch.set(format!("$deleteFromPrimitiveList/{field}"), gone);
        }
        return;
    }
    let Some(key) = merge_key(owner, field) else { return };
    let mut list = patch.get(field).items().to_vec();
    for item in was.items() {
        let id = &item[key];
        let Some(there) = current.items().iter().find(|x| x[key] == *id) else { continue };
        match new.items().iter().find(|x| x[key] == *id) {
            None => {
                let mut gone = Value::map();
                gone.set("$patch", "delete");
                gone.set(key, id);
                list.push(gone);
            }
            Some(kept) => {
                let at = list.iter().position(|x| x[key] == *id);
                let mut part = at.map_or_else(Value::map, |i| list[i].clone());
                deletions(inner(owner, field), item, there, kept, &mut part);
                if !part.is_empty() {
                    part.set(key, id);
                    if retains_keys(owner, field) {
                        part.set("$retainKeys", keys(kept));
                    }
                    match at {
                        Some(i) => list[i] = part,
                        None => list.push(part),
                    }
                }
            }
        }
    }
    if !list.is_empty() {
        set_order(owner, field, new, patch);
        patch.set(field, list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apiserver::patch::strategic;
    use crate::value;

    #[test]
    fn apply_keeps_what_others_set() {
        let last = value!({"spec": {"paused": true, "replicas": 2}});
        let live = value!({"spec": {"extra": 1, "paused": true, "replicas": 5}});
        let file = value!({"spec": {"replicas": 2}});
        let patch = three_way(Kind::Deployment, &last, &live, &file);
        assert_eq!(patch.to_string(), r#"{"spec":{"paused":null,"replicas":2}}"#);
        let got = strategic(Kind::Deployment, &live, &patch).unwrap();
        assert_eq!(got.to_string(), r#"{"spec":{"extra":1,"replicas":2}}"#);
        let none = three_way(Kind::Deployment, &file, &file, &file);
        assert!(none.is_empty(), "nothing to do is {{}}");
    }

    #[test]
    fn a_strategy_or_a_volume_is_as_the_file_says() {
        let last =
            value!({"spec": {"template": {"spec": {"volumes": [{"emptyDir": {}, "name": "v"}]}}}});
        let live = value!({"spec": {
            "strategy": {"rollingUpdate": {"maxSurge": "25%"}, "type": "RollingUpdate"},
            "template": {"spec": {"volumes": [{"emptyDir": {}, "name": "v"}]}}
        }});
        let file = value!({"spec": {
            "strategy": {"type": "Recreate"},
            "template": {"spec": {"volumes": [{"configMap": {"name": "c"}, "name": "v"}]}}
        }});
        let patch = three_way(Kind::Deployment, &last, &live, &file);
        let got = strategic(Kind::Deployment, &live, &patch).unwrap();
        assert_eq!(got, file);
    }
}
