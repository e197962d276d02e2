//! Patches: JSON Patch (RFC 6902), JSON Merge Patch (RFC 7386), Kubernetes' strategic merge
//! patch, and the three-way patch that `kubectl apply` computes
//! (behaviour/kubectl.md 3 and 5).

use crate::apiserver::error::{Reason, Status};
use crate::value::{Str, Value, text};

/// Key by which the items of a list are merged; `None`: the list is replaced as a whole.
/// `parent` is the field that holds the list's owner, to tell the two kinds of `ports` apart.
pub fn merge_key(field: &str, item: &Value) -> Option<&'static str> {
    match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets" => Some("name"),
        "ports" if item.has("containerPort") => Some("containerPort"),
        "ports" if item.has("port") => Some("port"),
        "volumeMounts" => Some("mountPath"),
        "volumeDevices" => Some("devicePath"),
        "conditions" | "addresses" => Some("type"),
        "hostAliases" => Some("ip"),
        "topologySpreadConstraints" => Some("topologyKey"),
        "ownerReferences" => Some("uid"),
        "taints" => Some("key"),
        "secrets" => Some("name"),
        _ => None,
    }
}

fn list_key(field: &str, lists: [&Value; 2]) -> Option<&'static str> {
    lists.iter().flat_map(|l| l.items()).find_map(|item| merge_key(field, item))
}

/// Lists of texts that are merged as sets.
fn merged_set(field: &str) -> bool {
    field == "finalizers"
}

/// JSON Merge Patch.
pub fn merge(target: &Value, patch: &Value) -> Value {
    let Some(fields) = patch.as_map() else { return patch.clone() };
    let mut result = if target.as_map().is_some() { target.clone() } else { Value::map() };
    for (key, v) in fields.iter() {
        if v.is_null() {
            result.remove(key);
        } else {
            let merged = merge(result.get(key), v);
            result.set(key, merged);
        }
    }
    result
}

/// Strategic merge patch.
pub fn strategic(target: &Value, patch: &Value) -> Value {
    let Some(fields) = patch.as_map() else { return patch.clone() };
    match patch["$patch"].str() {
        "replace" => {
            let mut whole = patch.clone();
            whole.remove("$patch");
            return whole;
        }
        "delete" => return Value::map(),
        _ => {}
    }
    let mut result = if target.as_map().is_some() { target.clone() } else { Value::map() };
    for (key, v) in fields.iter() {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            if result.has(list) {
                let gone = v.items().to_vec();
                result.entry(text(list)).list_mut().retain(|x| !gone.contains(x));
            }
        } else if key.as_str() == "$retainKeys" {
            let kept: Vec<&str> = v.items().iter().map(Value::str).collect();
            result.map_mut().retain(|k, _| kept.contains(&k));
        } else if key.starts_with('$') {
            // an order of items changes nothing that is simulated
        } else if v.is_null() {
            result.remove(key);
        } else if let Value::List(_) = v {
            let merged = strategic_list(key, result.get(key), v);
            result.set(key, merged);
        } else {
            let merged = strategic(result.get(key), v);
            result.set(key, merged);
        }
    }
    result
}

fn strategic_list(field: &str, target: &Value, patch: &Value) -> Value {
    if merged_set(field) {
        let mut all = target.items().to_vec();
        all.extend(patch.items().iter().filter(|x| !target.items().contains(x)).cloned());
        return all.into();
    }
    let replace = patch.items().iter().any(|p| p["$patch"].str() == "replace");
    let Some(key) = list_key(field, [patch, target]).filter(|_| !replace) else {
        let rest = patch.items().iter().filter(|p| p["$patch"].is_null());
        return rest.cloned().collect::<Vec<Value>>().into();
    };
    let mut list = target.items().to_vec();
    for item in patch.items() {
        let at = list.iter().position(|x| x[key] == item[key]);
        match (at, item["$patch"].str() == "delete") {
            (Some(i), true) => {
                list.remove(i);
            }
            (None, true) => {}
            (Some(i), false) => list[i] = strategic(&list[i], item),
            (None, false) => list.push(strategic(&Value::map(), item)),
        }
    }
    list.into()
}

/// JSON Patch: a list of operations.
///
/// # Errors
/// 422 or 400 with the server's words.
pub fn json(target: &Value, patch: &Value) -> Result<Value, Status> {
    let mut doc = target.clone();
    for op in patch.items() {
        doc = operate(&doc, op)?;
    }
    Ok(doc)
}

fn unprocessable(message: impl Into<Str>) -> Status {
    Status::new(Reason::Invalid, message)
}

fn operate(doc: &Value, op: &Value) -> Result<Value, Status> {
    let path = op["path"].str();
    let missing = |path: &str, what: &str| {
        unprocessable(format!(
            "{what} operation does not apply: doc is missing path: {path}: missing value"
        ))
    };
    let get = |p: &str| pointer(doc, p);
    let mut next = doc.clone();
    let name = op["op"].str();
    match name {
        "test" => match get(path) {
            Some(v) if *v == op["value"] => {}
            Some(_) => return Err(unprocessable(format!("testing path {path} failed"))),
            None => return Err(missing(path, "test")),
        },
        "add" => {
            put(&mut next, path, op["value"].clone(), true).ok_or_else(|| missing(path, "add"))?;
        }
        "replace" => {
            get(path).ok_or_else(|| {
                unprocessable(format!(
                    "replace operation does not apply: doc is missing key: {path}: missing value"
                ))
            })?;
            put(&mut next, path, op["value"].clone(), false)
                .ok_or_else(|| missing(path, "replace"))?;
        }
        "remove" => {
            get(path).ok_or_else(|| {
                unprocessable("the server rejected our request due to an error in our request")
            })?;
            take(&mut next, path);
        }
        "move" | "copy" => {
            let from = op["from"].str();
            let v = get(from).cloned().ok_or_else(|| missing(from, name))?;
            if name == "move" {
                take(&mut next, from);
            }
            put(&mut next, path, v, true).ok_or_else(|| missing(path, name))?;
        }
        other => return Err(unprocessable(format!("Unexpected kind: {other}"))),
    }
    Ok(next)
}

fn segments(path: &str) -> impl Iterator<Item = String> {
    path.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~"))
}

fn pointer<'a>(doc: &'a Value, path: &str) -> Option<&'a Value> {
    segments(path).try_fold(doc, |v, s| match v {
        Value::Map(m) => m.get(&s),
        Value::List(l) => l.get(s.parse::<usize>().ok()?),
        _ => None,
    })
}

fn slot<'a>(doc: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let mut parts: Vec<String> = segments(path).collect();
    let last = parts.pop()?;
    let mut at = doc;
    for s in parts {
        at = match at {
            Value::Map(_) => at.map_mut().get_mut(&s)?,
            Value::List(_) => at.list_mut().get_mut(s.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some((at, last))
}

fn put(doc: &mut Value, path: &str, value: Value, insert: bool) -> Option<()> {
    if path.is_empty() {
        *doc = value;
        return Some(());
    }
    let (parent, last) = slot(doc, path)?;
    match parent {
        Value::Map(_) => parent.set(text(&last), value),
        Value::List(_) => {
            let list = parent.list_mut();
            if insert {
                let i = if last == "-" { list.len() } else { last.parse().ok()? };
                if i > list.len() {
                    return None;
                }
                list.insert(i, value);
            } else {
                *list.get_mut(last.parse::<usize>().ok()?)? = value;
            }
        }
        _ => return None,
    }
    Some(())
}

fn take(doc: &mut Value, path: &str) {
    if let Some((parent, last)) = slot(doc, path) {
        match parent {
            Value::Map(_) => {
                parent.remove(&last);
            }
            Value::List(_) => {
                let list = parent.list_mut();
                if let Some(i) = last.parse().ok().filter(|i| *i < list.len()) {
                    list.remove(i);
                }
            }
            _ => {}
        }
    }
}

/// The strategic merge patch that `kubectl apply` sends: what differs between the live object
/// and the file, and what the last file had and this one has not. `{}` means "unchanged".
pub fn three_way(last: &Value, live: &Value, file: &Value) -> Value {
    let mut patch = changes(live, file);
    deletions(last, live, file, &mut patch);
    patch
}

/// Fields of `file` that differ from `live`; fields that `file` lacks do not count.
fn changes(live: &Value, file: &Value) -> Value {
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
                let inner = changes(old, v);
                if !inner.is_empty() {
                    patch.set(key, inner);
                }
            }
            (Value::List(_), Value::List(_)) => {
                if let Some(list) = list_changes(key, old, v) {
                    patch.set(key, list);
                }
            }
            _ if old == v => {}
            _ => patch.set(key, v),
        }
    }
    patch
}

fn list_changes(field: &str, live: &Value, file: &Value) -> Option<Value> {
    if merged_set(field) {
        let new: Vec<Value> =
            file.items().iter().filter(|x| !live.items().contains(x)).cloned().collect();
        return (!new.is_empty()).then(|| new.into());
    }
    let Some(key) = list_key(field, [file, live]) else {
        return (live != file).then(|| file.clone());
    };
    let mut list = Vec::new();
    for item in file.items() {
        match live.items().iter().find(|x| x[key] == item[key]) {
            None => list.push(item.clone()),
            Some(old) => {
                let mut inner = changes(old, item);
                if !inner.is_empty() {
                    inner.set(key, &item[key]);
                    list.push(inner);
                }
            }
        }
    }
    (!list.is_empty()).then(|| list.into())
}

/// Adds to the patch what `last` had, `file` has no more and `live` still has.
fn deletions(last: &Value, live: &Value, file: &Value, patch: &mut Value) {
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
                let mut inner = patch.get(key).clone();
                if inner.is_null() {
                    inner = Value::map();
                }
                deletions(was, live.get(key), new, &mut inner);
                if !inner.is_empty() {
                    patch.set(key, inner);
                }
            }
            (Value::List(_), Value::List(_)) => list_deletions(key, was, live, new, patch),
            _ => {}
        }
    }
}

fn list_deletions(field: &Str, was: &Value, live: &Value, new: &Value, patch: &mut Value) {
    let current = live.get(field);
    if merged_set(field) {
        let gone: Vec<Value> =
            was.items().iter().filter(|x| !new.items().contains(x)).cloned().collect();
        if !gone.is_empty() {
            patch.set(format!("$deleteFromPrimitiveList/{field}"), gone);
        }
        return;
    }
    let Some(key) = list_key(field, [new, current]) else { return };
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
                let mut inner = at.map_or_else(Value::map, |i| list[i].clone());
                deletions(item, there, kept, &mut inner);
                if !inner.is_empty() {
                    inner.set(key, id);
                    match at {
                        Some(i) => list[i] = inner,
                        None => list.push(inner),
                    }
                }
            }
        }
    }
    if !list.is_empty() {
        patch.set(field, list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn containers_merge_by_name() {
        let live = value!({"spec": {"containers": [
            {"image": "a:1", "name": "a", "env": [{"name": "X", "value": "1"}]},
            {"image": "b:1", "name": "b"}
        ]}});
        let patch = value!({"spec": {"containers": [
            {"name": "a", "image": "a:2"}, {"name": "b", "$patch": "delete"}, {"name": "c", "image": "c"}
        ]}});
        let got = strategic(&live, &patch);
        let list = &got["spec"]["containers"];
        assert_eq!(list[0]["image"].str(), "a:2");
        assert_eq!(list[0]["env"].len(), 1);
        assert_eq!(list[1]["name"].str(), "c");
    }

    #[test]
    fn apply_keeps_what_others_set() {
        let last = value!({"spec": {"replicas": 2, "paused": true}});
        let live = value!({"spec": {"replicas": 5, "paused": true, "extra": 1}});
        let file = value!({"spec": {"replicas": 2}});
        let patch = three_way(&last, &live, &file);
        assert_eq!(patch.to_string(), r#"{"spec":{"paused":null,"replicas":2}}"#);
        assert_eq!(strategic(&live, &patch).to_string(), r#"{"spec":{"extra":1,"replicas":2}}"#);
        assert!(three_way(&file, &file, &file).is_empty(), "nothing to do is {{}}");
    }

    #[test]
    fn json_patch_operations() {
        let doc = value!({"a": [1, 2], "b": {"c/d": 3}});
        let patch = value!([
            {"op": "replace", "path": "/a/0", "value": 9},
            {"op": "add", "path": "/a/-", "value": 4},
            {"op": "remove", "path": "/b/c~1d"},
            {"op": "copy", "from": "/a/1", "path": "/e"}
        ]);
        assert_eq!(json(&doc, &patch).unwrap().to_string(), r#"{"a":[9,2,4],"b":{},"e":2}"#);
        let bad = value!([{"op": "replace", "path": "/x/y", "value": 1}]);
        assert!(json(&doc, &bad).is_err());
    }
}
