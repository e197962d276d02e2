//! What is lost when the server writes an object: fields that Go does not tell from fields
//! that are not there.

use super::{Field, Type, fields, leaf};
use crate::api::Kind;
use crate::value::Value;

/// Truth values that are no pointers in Go: false is the same as nothing.
const PLAIN_BOOLS: &[&str] = &[
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "paused",
    "publishNotReadyAddresses",
    "readOnly",
    "stdin",
    "stdinOnce",
    "tty",
    "unschedulable",
];
/// Numbers that are no pointers.
const PLAIN_NUMBERS: &[&str] =
    &["healthCheckNodePort", "hostPort", "initialDelaySeconds", "minReadySeconds", "nodePort"];
/// Texts that are pointers: an empty one is not the same as none.
const POINTERS: &[&str] = &[
    "apiGroup",
    "appProtocol",
    "hostnameOverride",
    "ipFamilyPolicy",
    "loadBalancerClass",
    "runtimeClassName",
    "storageClassName",
    "trafficDistribution",
    "volumeAttributesClassName",
    "volumeMode",
];

/// Takes out what the server would not write: null, empty lists and maps, and for fields that
/// are no pointers the empty text, false and 0.
pub fn prune(kind: Kind, object: &mut Value) {
    if let Some(table) = fields(kind.info().kind) {
        walk(table, object);
    }
}

fn walk(table: &'static [Field], v: &mut Value) {
    if v.as_map().is_none() {
        return;
    }
    for f in table {
        if !v.has(f.name) {
            continue;
        }
        if lost(f, &v[f.name]) {
            v.remove(f.name);
            continue;
        }
        let Type::Struct(name) = leaf(&f.field_type) else { continue };
        let Some(inner) = fields(name) else { continue };
        // shared parts without anything to take out stay shared
        let mut part = v[f.name].clone();
        match &mut part {
            Value::List(_) => part.list_mut().iter_mut().for_each(|x| walk(inner, x)),
            _ if matches!(f.field_type, Type::Map(_)) => {
                part.map_mut().iter_mut().for_each(|(_, x)| walk(inner, x));
            }
            _ => walk(inner, &mut part),
        }
        if part != v[f.name] {
            v.set(f.name, part);
        }
    }
}

fn lost(f: &Field, v: &Value) -> bool {
    match (&f.field_type, v) {
        (_, Value::Null) => true,
        (Type::List(_), Value::List(l)) => l.is_empty() && !f.required,
        (Type::Map(_), Value::Map(m)) => m.is_empty() && !f.required,
        (Type::Text(_), Value::Str(s)) => {
            s.is_empty() && !f.required && !POINTERS.contains(&f.name)
        }
        (Type::Bool, Value::Bool(false)) => PLAIN_BOOLS.contains(&f.name),
        (Type::Int32, Value::Int(0)) => PLAIN_NUMBERS.contains(&f.name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn what_go_does_not_tell_from_nothing_is_lost() {
        let mut set = value!({
            "metadata": {"annotations": {}, "labels": {"a": ""}},
            "spec": {
                "minReadySeconds": 0,
                "replicas": 0,
                "selector": {"matchExpressions": [], "matchLabels": {"a": ""}},
                "template": {"spec": {
                    "automountServiceAccountToken": false,
                    "containers": [{
                        "args": [], "env": [{"name": "A", "value": ""}], "image": "", "name": "a",
                        "resources": {}, "securityContext": {"runAsUser": 0}, "tty": false
                    }],
                    "nodeName": "",
                    "securityContext": null
                }},
                "volumeClaimTemplates": [{"spec": {"storageClassName": ""}}]
            }
        });
        prune(Kind::StatefulSet, &mut set);
        let want = value!({
            "metadata": {"labels": {"a": ""}},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"a": ""}},
                "template": {"spec": {
                    "automountServiceAccountToken": false,
                    "containers": [{
                        "env": [{"name": "A"}], "name": "a",
                        "resources": {}, "securityContext": {"runAsUser": 0}
                    }]
                }},
                "volumeClaimTemplates": [{"spec": {"storageClassName": ""}}]
            }
        });
        assert_eq!(set, want);
    }
}
