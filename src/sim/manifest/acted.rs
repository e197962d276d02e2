//! Which fields of a manifest the simulator acts on (acted.txt), and which it only stores.

use std::sync::OnceLock;

use crate::api::Kind;
use crate::collections::BTreeMap;
use crate::schema::{self, Type, leaf};
use crate::value::Value;

#[derive(Default)]
struct Row {
    /// Fields that are acted on.
    acted: Vec<&'static str>,
    /// Fields of which nothing is told; with their value, if only that one is harmless.
    quiet: Vec<(&'static str, Option<&'static str>)>,
}

fn rows() -> &'static BTreeMap<&'static str, Row> {
    static ROWS: OnceLock<BTreeMap<&'static str, Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let mut rows: BTreeMap<&'static str, Row> = BTreeMap::new();
        for line in include_str!("acted.txt").lines().filter(|l| !l.starts_with('#')) {
            let Some((name, fields)) = line.split_once([':', '~']) else { continue };
            let row = rows.entry(name).or_default();
            for field in fields.split_whitespace() {
                if line.as_bytes().get(name.len()) == Some(&b':') {
                    row.acted.push(field);
                } else {
                    row.quiet.push(match field.split_once('=') {
                        Some((field, value)) => (field, Some(value)),
                        None => (field, None),
                    });
                }
            }
        }
        rows
    })
}

/// Paths of the fields of an object that are accepted and stored, but do nothing here. Kinds
/// on which nothing acts at all have none: that is told of the kind.
pub fn ignored(kind: Kind, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if kind.simulated() {
        walk(kind.info().kind, object, "", &mut found);
    }
    found
}

fn walk(owner: &str, v: &Value, path: &str, found: &mut Vec<String>) {
    let Some(table) = schema::fields(owner) else { return };
    let row = rows().get(owner);
    for (key, value) in v.pairs() {
        if matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status") {
            continue;
        }
        let Some(field) = table.iter().find(|f| f.name == key.as_str()) else { continue };
        let inner = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        if let Some(row) = row
            && !row.acted.contains(&field.name)
        {
            let harmless = row.quiet.iter().any(|(name, only)| {
                *name == field.name
                    && only.is_none_or(|o| value.str() == o || value.to_string() == o)
            });
            if !harmless {
                found.push(inner);
            }
            continue;
        }
        let Type::Struct(name) = leaf(&field.field_type) else { continue };
        match value {
            Value::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    walk(name, item, &format!("{inner}[{i}]"), found);
                }
            }
            Value::Map(_) => walk(name, value, &inner, found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn the_table_speaks_of_the_api() {
        for (name, row) in rows() {
            let table = schema::fields(name).unwrap_or_else(|| panic!("no type {name}"));
            for field in row.acted.iter().chain(row.quiet.iter().map(|(f, _)| f)) {
                assert!(table.iter().any(|f| f.name == *field), "{name} has no {field}");
            }
        }
    }

    #[test]
    fn fields_without_effect_are_named() {
        let set = value!({
            "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"annotations": {"a": "b"}, "name": "web"},
            "spec": {
                "replicas": 2,
                "template": {"spec": {
                    "containers": [{
                        "image": "nginx", "name": "nginx",
                        "ports": [{"containerPort": 80, "hostIP": "10.0.0.1"}],
                        "resources": {"claims": [{"name": "gpu"}]},
                        "securityContext": {
                            "readOnlyRootFilesystem": true, "seLinuxOptions": {"level": "s0"}
                        },
                        "terminationMessagePath": "/dev/termination-log"
                    }],
                    "hostPID": true,
                    "priority": 0,
                    "securityContext": {"fsGroup": 2000, "sysctls": [{"name": "a", "value": "b"}]},
                    "volumes": [{"emptyDir": {"medium": "Memory"}, "name": "tmp"}]
                }},
                "volumeClaimTemplates": [{"spec": {"dataSource": {"kind": "x", "name": "y"}}}]
            }
        });
        let at = "spec.template.spec";
        assert_eq!(
            ignored(Kind::StatefulSet, &set),
            [
                format!("{at}.containers[0].ports[0].hostIP"),
                format!("{at}.containers[0].resources.claims"),
                format!("{at}.containers[0].securityContext.seLinuxOptions"),
                format!("{at}.hostPID"),
                format!("{at}.securityContext.sysctls"),
                format!("{at}.volumes[0].emptyDir.medium"),
                "spec.volumeClaimTemplates[0].spec.dataSource".to_owned(),
            ]
        );
        assert!(ignored(Kind::Job, &value!({"spec": {"suspend": true}})).is_empty());
    }
}
