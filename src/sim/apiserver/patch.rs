//! Patches: JSON Patch (RFC 6902), JSON Merge Patch (RFC 7386), Kubernetes' strategic merge
//! patch (behaviour/kubectl.md 3 and 5).

use crate::api::Kind;
use crate::apiserver::error::{Reason, Status};
use crate::schema::{self, Type};
use crate::value::{Value, text};

/// Lists that a strategic patch merges: the type that has the list, its name, and the key by
/// which items are told apart. All other lists are replaced as a whole. A list without an owner
/// is taken for one of that name in a type without a table.
const MERGED: &[(&str, &str, &str)] = &[
    ("PodSpec", "containers", "name"),
    ("PodSpec", "initContainers", "name"),
    ("PodSpec", "ephemeralContainers", "name"),
    ("PodSpec", "volumes", "name"),
    ("PodSpec", "imagePullSecrets", "name"),
    ("PodSpec", "hostAliases", "ip"),
    ("PodSpec", "topologySpreadConstraints", "topologyKey"),
    ("PodSpec", "schedulingGates", "name"),
    ("PodSpec", "resourceClaims", "name"),
    ("Container", "env", "name"),
    ("Container", "ports", "containerPort"),
    ("Container", "volumeMounts", "mountPath"),
    ("Container", "volumeDevices", "devicePath"),
    ("EphemeralContainer", "env", "name"),
    ("EphemeralContainer", "ports", "containerPort"),
    ("EphemeralContainer", "volumeMounts", "mountPath"),
    ("EphemeralContainer", "volumeDevices", "devicePath"),
    ("ServiceSpec", "ports", "port"),
    ("ServiceAccount", "secrets", "name"),
    ("ObjectMeta", "ownerReferences", "uid"),
    ("PodStatus", "podIPs", "ip"),
    ("PodStatus", "hostIPs", "ip"),
    ("NodeStatus", "addresses", "type"),
];

/// The key by which the items of a list are merged; `None`: the list is replaced as a whole.
pub fn merge_key(owner: &str, field: &str) -> Option<&'static str> {
    if field == "conditions" && owner.ends_with("Status") {
        return Some("type");
    }
    let found = MERGED.iter().find(|(o, f, _)| *o == owner && *f == field);
    found.map(|(_, _, key)| *key)
}

/// The key of an item of a list of that name, whoever has the list.
pub fn any_key(field: &str, item: &Value) -> Option<&'static str> {
    if field == "conditions" {
        return Some("type");
    }
    MERGED.iter().find(|(_, f, key)| *f == field && item.has(key)).map(|(_, _, key)| *key)
}

/// Lists of texts that are merged as sets.
pub fn merged_set(owner: &str, field: &str) -> bool {
    owner == "ObjectMeta" && field == "finalizers"
}

/// Maps and items of lists of which `kubectl apply` keeps only what its file has.
pub fn retains_keys(owner: &str, field: &str) -> bool {
    matches!(
        (owner, field),
        ("DeploymentSpec", "strategy") | ("PodSpec", "volumes" | "resourceClaims")
    )
}

/// The type of a field of a type, lists and maps stepped into; empty if it has no table.
pub fn inner(owner: &str, field: &str) -> &'static str {
    let known = schema::fields(owner).and_then(|t| t.iter().find(|f| f.name == field));
    match known.map(|f| schema::leaf(&f.field_type)) {
        Some(Type::Struct(name)) => name,
        Some(_) => "",
        // kinds without a table still have metadata and perhaps a template
        None => match field {
            "metadata" => "ObjectMeta",
            "template" => "PodTemplateSpec",
            _ => "",
        },
    }
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

/// Strategic merge patch of an object of that kind.
///
/// # Errors
/// An item of a merged list without its key.
pub fn strategic(kind: Kind, target: &Value, patch: &Value) -> Result<Value, Status> {
    strategic_at(kind.info().kind, target, patch)
}

/// Strategic merge patch of a part of an object; `owner` is its type.
///
/// # Errors
/// An item of a merged list without its key.
pub fn strategic_at(owner: &str, target: &Value, patch: &Value) -> Result<Value, Status> {
    let Some(fields) = patch.as_map() else { return Ok(patch.clone()) };
    match patch["$patch"].str() {
        "replace" => {
            let mut whole = patch.clone();
            whole.remove("$patch");
            return Ok(whole);
        }
        "delete" => return Ok(Value::map()),
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
            // an order is looked at where the list itself is
        } else if v.is_null() {
            result.remove(key);
        } else if let Value::List(_) = v {
            let order = patch.get(&format!("$setElementOrder/{key}"));
            let merged = strategic_list(owner, key, result.get(key), v, order)?;
            result.set(key, merged);
        } else {
            let merged = strategic_at(inner(owner, key), result.get(key), v)?;
            result.set(key, merged);
        }
    }
    Ok(result)
}

fn strategic_list(
    owner: &str,
    field: &str,
    target: &Value,
    patch: &Value,
    order: &Value,
) -> Result<Value, Status> {
    if merged_set(owner, field) {
        let mut all = target.items().to_vec();
        all.extend(patch.items().iter().filter(|x| !target.items().contains(x)).cloned());
        return Ok(all.into());
    }
    let replace = patch.items().iter().any(|p| p["$patch"].str() == "replace");
    let Some(key) = merge_key(owner, field).filter(|_| !replace) else {
        let rest = patch.items().iter().filter(|p| p["$patch"].is_null());
        return Ok(rest.cloned().collect::<Vec<Value>>().into());
    };
    let mut list = target.items().to_vec();
    for item in patch.items() {
        if item[key].is_null() {
            let shown = crate::manifest::print::go_text(item);
            let message = format!("map: {shown} does not contain declared merge key: {key}");
            return Err(Status::new(Reason::Unknown, message));
        }
        let at = list.iter().position(|x| x[key] == item[key]);
        let of = inner(owner, field);
        match (at, item["$patch"].str() == "delete") {
            (Some(i), true) => {
                list.remove(i);
            }
            (None, true) => {}
            (Some(i), false) => list[i] = strategic_at(of, &list[i], item)?,
            (None, false) => list.push(strategic_at(of, &Value::map(), item)?),
        }
    }
    if !order.items().is_empty() {
        // what the order does not name stays behind the item that it follows
        let place = |x: &Value| order.items().iter().position(|o| o[key] == x[key]);
        let mut last = 0;
        let mut placed: Vec<(usize, Value)> = Vec::new();
        for x in list {
            last = place(&x).unwrap_or(last);
            placed.push((last, x));
        }
        placed.sort_by_key(|(at, _)| *at);
        list = placed.into_iter().map(|(_, x)| x).collect();
    }
    Ok(list.into())
}

/// JSON Patch: a list of operations.
///
/// # Errors
/// 422; the server does not tell which operation failed, or why.
pub fn json(target: &Value, patch: &Value) -> Result<Value, Status> {
    let mut doc = target.clone();
    for op in patch.items() {
        doc = operate(&doc, op).ok_or_else(|| {
            let text = "the server rejected our request due to an error in our request";
            Status::new(Reason::Invalid, text)
        })?;
    }
    Ok(doc)
}

fn operate(doc: &Value, op: &Value) -> Option<Value> {
    let path = op["path"].as_str()?;
    let mut next = doc.clone();
    match op["op"].str() {
        "test" => {
            let found = pointer(doc, path);
            let same = found.map_or(op["value"].is_null(), |v| *v == op["value"]);
            return same.then_some(next);
        }
        "add" => put(&mut next, path, op["value"].clone(), true)?,
        // a key that is not there is added
        "replace" => put(&mut next, path, op["value"].clone(), false)?,
        "remove" => take(&mut next, path)?,
        "move" => {
            let v = pointer(doc, op["from"].str())?.clone();
            take(&mut next, op["from"].str())?;
            put(&mut next, path, v, true)?;
        }
        "copy" => put(&mut next, path, pointer(doc, op["from"].str())?.clone(), true)?,
        _ => return None,
    }
    Some(next)
}

fn segments(path: &str) -> impl Iterator<Item = String> {
    path.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~"))
}

/// An index into a list of that length; negative ones count from its end.
fn index(s: &str, len: usize) -> Option<usize> {
    let i = s.parse::<i64>().ok()?;
    let len = i64::try_from(len).ok()?;
    let i = if i < 0 { i + len } else { i };
    (0..len).contains(&i).then(|| usize::try_from(i).ok()).flatten()
}

fn pointer<'a>(doc: &'a Value, path: &str) -> Option<&'a Value> {
    segments(path).try_fold(doc, |v, s| match v {
        Value::Map(m) => m.get(&s),
        Value::List(l) => l.get(index(&s, l.len())?),
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
            Value::List(l) => {
                let i = index(&s, l.len())?;
                at.list_mut().get_mut(i)?
            }
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
                let end = list.len();
                let i = if last == "-" { end } else { index(&last, end + 1)? };
                list.insert(i, value);
            } else {
                let i = index(&last, list.len())?;
                *list.get_mut(i)? = value;
            }
        }
        _ => return None,
    }
    Some(())
}

fn take(doc: &mut Value, path: &str) -> Option<()> {
    let (parent, last) = slot(doc, path)?;
    match parent {
        Value::Map(_) => {
            parent.remove(&last)?;
        }
        Value::List(l) => {
            let i = index(&last, l.len())?;
            parent.list_mut().remove(i);
        }
        _ => return None,
    }
    Some(())
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
        let got = strategic(Kind::Pod, &live, &patch).unwrap();
        let list = &got["spec"]["containers"];
        assert_eq!(list[0]["image"].str(), "a:2");
        assert_eq!(list[0]["env"].len(), 1);
        assert_eq!(list[1]["name"].str(), "c");
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
        for (bad, op) in [
            ("no such map", value!({"op": "replace", "path": "/x/y", "value": 1})),
            ("nothing to remove", value!({"op": "remove", "path": "/b/x"})),
            ("another value", value!({"op": "test", "path": "/a/0", "value": 7})),
            ("beyond the end", value!({"op": "add", "path": "/a/3", "value": 7})),
            ("no such operation", value!({"op": "swap", "path": "/a/0"})),
        ] {
            let e = json(&doc, &Value::from(vec![op])).unwrap_err();
            assert_eq!(
                e.message.as_str(),
                "the server rejected our request due to an error in our request",
                "{bad}"
            );
        }
        let lenient = value!([
            {"op": "replace", "path": "/new", "value": 1},
            {"op": "test", "path": "/gone", "value": null},
            {"op": "remove", "path": "/a/-1"}
        ]);
        assert_eq!(json(&doc, &lenient).unwrap().to_string(), r#"{"a":[1],"b":{"c/d":3},"new":1}"#);
    }

    #[test]
    fn each_list_has_its_own_way() {
        let set = value!({"spec": {"template": {"spec": {
            "containers": [{"image": "a", "name": "a", "ports": [{"containerPort": 80, "name": "web"}]}],
            "tolerations": [{"key": "x", "operator": "Exists"}]
        }}}});
        let patch = value!({"spec": {"template": {"spec": {
            "containers": [{"name": "a", "ports": [{"containerPort": 81}]}],
            "tolerations": [{"key": "y", "operator": "Exists"}]
        }}}});
        let got = strategic(Kind::StatefulSet, &set, &patch).unwrap();
        let spec = &got["spec"]["template"]["spec"];
        assert_eq!(spec["containers"][0]["ports"].len(), 2, "ports are merged by their number");
        assert_eq!(spec["tolerations"].len(), 1, "tolerations are replaced");
        let nameless = value!({"spec": {"template": {"spec": {"containers": [{"image": "b"}]}}}});
        let e = strategic(Kind::StatefulSet, &set, &nameless).unwrap_err();
        assert_eq!(
            e.message.as_str(),
            "map: map[image:b] does not contain declared merge key: name"
        );
        let service = value!({"spec": {"ports": [{"name": "web", "port": 80}]}});
        let patch = value!({"spec": {"ports": [{"port": 80, "targetPort": 8080}]}});
        let got = strategic(Kind::Service, &service, &patch).unwrap();
        assert_eq!(
            got["spec"]["ports"].to_string(),
            r#"[{"name":"web","port":80,"targetPort":8080}]"#
        );
    }

    #[test]
    fn directives() {
        let pod = value!({"metadata": {"finalizers": ["a/b", "c/d"]}, "spec": {
            "containers": [{"name": "a"}, {"name": "b"}],
            "volumes": [{"emptyDir": {}, "name": "v"}]
        }});
        let patch = value!({
            "metadata": {"$deleteFromPrimitiveList/finalizers": ["a/b"], "finalizers": ["e/f"]},
            "spec": {
                "$setElementOrder/containers": [{"name": "c"}, {"name": "b"}, {"name": "a"}],
                "containers": [{"image": "c", "name": "c"}],
                "volumes": [{"$retainKeys": ["hostPath", "name"], "hostPath": {"path": "/x"}, "name": "v"}]
            }
        });
        let got = strategic(Kind::Pod, &pod, &patch).unwrap();
        assert_eq!(got["metadata"]["finalizers"].to_string(), r#"["c/d","e/f"]"#);
        let names: Vec<&str> =
            got["spec"]["containers"].items().iter().map(|c| c["name"].str()).collect();
        assert_eq!(names, ["c", "b", "a"]);
        assert_eq!(
            got["spec"]["volumes"].to_string(),
            r#"[{"hostPath":{"path":"/x"},"name":"v"}]"#
        );
        let whole = value!({"spec": {"$patch": "replace", "containers": [{"name": "z"}]}});
        let got = strategic(Kind::Pod, &pod, &whole).unwrap();
        assert_eq!(got["spec"].to_string(), r#"{"containers":[{"name":"z"}]}"#);
    }
}
