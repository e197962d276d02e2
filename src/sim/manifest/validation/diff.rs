//! The difference that the server appends when a spec may not change: a unified diff of the
//! internal objects, whose fields have Go's names and order and print `null` when unset.

use std::fmt::Write as _;

use crate::schema::go;
use crate::value::Value;

/// A pod's spec and its security context inside the server, where the host's namespaces belong
/// to the latter and the order is another than in the API.
const POD: &str = "Volumes:[Volume InitContainers:[Container Containers:[Container \
    EphemeralContainers:[EphemeralContainer RestartPolicy:s TerminationGracePeriodSeconds:*l \
    ActiveDeadlineSeconds:*l DNSPolicy:s NodeSelector:m ServiceAccountName:s \
    AutomountServiceAccountToken:*b NodeName:s SecurityContext:*Host \
    ImagePullSecrets:[LocalObjectReference Hostname:s Subdomain:s SetHostnameAsFQDN:*b \
    Affinity:*Affinity SchedulerName:s Tolerations:[Toleration HostAliases:[HostAlias \
    PriorityClassName:s Priority:*i PreemptionPolicy:*s DNSConfig:*PodDNSConfig \
    ReadinessGates:[PodReadinessGate RuntimeClassName:*s Overhead:R EnableServiceLinks:*b \
    TopologySpreadConstraints:[TopologySpreadConstraint OS:*PodOS \
    SchedulingGates:[PodSchedulingGate ResourceClaims:[PodResourceClaim \
    Resources:*ResourceRequirements HostnameOverride:*s SchedulingGroup:*PodSchedulingGroup";
const HOST: &str = "HostNetwork:b HostPID:b HostIPC:b ShareProcessNamespace:*b HostUsers:*b \
    SELinuxOptions:*SELinuxOptions WindowsOptions:*WindowsSecurityContextOptions RunAsUser:*l \
    RunAsGroup:*l RunAsNonRoot:*b SupplementalGroups:[l SupplementalGroupsPolicy:*s FSGroup:*l \
    FSGroupChangePolicy:*s Sysctls:[Sysctl SeccompProfile:*SeccompProfile \
    AppArmorProfile:*AppArmorProfile SELinuxChangePolicy:*s";

/// The difference of two claims' specs.
pub(super) fn claim(old: &Value, new: &Value) -> String {
    let text = |v: &Value| lines(go::fields("PersistentVolumeClaimSpec").collect(), v);
    unified(&text(old), &text(new))
}

/// The difference of two pods' specs.
pub(super) fn pod(old: &Value, new: &Value) -> String {
    let text = |v: &Value| {
        let mut v = v.clone();
        for key in ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"] {
            if v.has(key) {
                let value = v[key].clone();
                v.entry("securityContext").set(key, value);
            }
        }
        lines(go::parsed(POD).collect(), &v)
    };
    unified(&text(old), &text(new))
}

/// The difference of two volumes' sources.
pub(super) fn source(old: &Value, new: &Value) -> String {
    let text = |v: &Value| lines(go::fields("PersistentVolumeSource").collect(), v);
    unified(&text(old), &text(new))
}

/// A struct on one line, as errors show it: all its fields, with Go's names.
pub(super) fn compact(kind: &str, v: &Value) -> String {
    let line = |line: String| {
        let line = line.trim_start();
        // the space after a field's name
        let named = line.strip_prefix('"').and_then(|l| l.split_once("\": "));
        match named {
            Some((name, rest)) if !name.contains(['"', '\\']) => format!("\"{name}\":{rest}"),
            _ => line.to_owned(),
        }
    };
    lines(go::fields(kind).collect(), v).into_iter().map(line).collect()
}

fn lines(fields: Vec<go::Field>, v: &Value) -> Vec<String> {
    let mut out = Vec::new();
    structure(&mut out, 0, "", fields, v, "");
    out
}

fn structure(
    out: &mut Vec<String>,
    depth: usize,
    head: &str,
    fields: Vec<go::Field>,
    v: &Value,
    comma: &str,
) {
    let pad = " ".repeat(depth);
    out.push(format!("{pad}{head}{{"));
    let inner = flat(fields);
    for (i, f) in inner.iter().enumerate() {
        let comma = if i + 1 < inner.len() { "," } else { "" };
        let head = format!("\"{}\": ", f.name);
        typed(out, depth + 1, &head, f.kind, v.get(&f.json), comma);
    }
    out.push(format!("{pad}}}{comma}"));
}

/// Fields of embedded structs stand among those of the outer one.
fn flat(fields: Vec<go::Field>) -> Vec<go::Field> {
    let mut out = Vec::new();
    for f in fields {
        match f.kind.strip_prefix('<') {
            Some(inner) => out.extend(flat(go::fields(inner).collect())),
            None => out.push(f),
        }
    }
    out
}

fn typed(out: &mut Vec<String>, depth: usize, head: &str, kind: &str, v: &Value, comma: &str) {
    let pad = " ".repeat(depth);
    let mut leaf = |text: &str| out.push(format!("{pad}{head}{text}{comma}"));
    if let Some(inner) = kind.strip_prefix('*') {
        if v.is_null() {
            leaf("null");
        } else {
            typed(out, depth, head, inner, v, comma);
        }
        return;
    }
    if let Some(inner) = kind.strip_prefix('[') {
        if v.is_empty() {
            return leaf("null");
        }
        out.push(format!("{pad}{head}["));
        for (i, item) in v.items().iter().enumerate() {
            let comma = if i + 1 < v.len() { "," } else { "" };
            typed(out, depth + 1, "", inner, item, comma);
        }
        out.push(format!("{pad}]{comma}"));
        return;
    }
    match kind {
        "b" => leaf(if v.is_true() { "true" } else { "false" }),
        "i" | "l" => leaf(&v.int_or(0).to_string()),
        "P" | "Q" if v.is_null() => leaf(if kind == "P" { "0" } else { "\"0\"" }),
        "P" | "Q" | "T" => leaf(&v.to_string()),
        "m" | "R" => plain(out, depth, head, v, comma),
        "s" => leaf(&Value::Str(v.to_str()).to_string()),
        _ if kind.starts_with('~') => leaf(&Value::Str(v.to_str()).to_string()),
        // these have the names of the API inside the server too
        "LabelSelector" | "ObjectMeta" => plain(out, depth, head, v, comma),
        "Host" => structure(out, depth, head, go::parsed(HOST).collect(), v, comma),
        _ => structure(out, depth, head, go::fields(kind).collect(), v, comma),
    }
}

/// A value as it is.
fn plain(out: &mut Vec<String>, depth: usize, head: &str, v: &Value, comma: &str) {
    let pad = " ".repeat(depth);
    match v {
        Value::List(l) if !l.is_empty() => {
            out.push(format!("{pad}{head}["));
            for (i, item) in l.iter().enumerate() {
                let comma = if i + 1 < l.len() { "," } else { "" };
                plain(out, depth + 1, "", item, comma);
            }
            out.push(format!("{pad}]{comma}"));
        }
        Value::Map(m) if !m.is_empty() => {
            out.push(format!("{pad}{head}{{"));
            for (i, (k, item)) in m.iter().enumerate() {
                let comma = if i + 1 < m.len() { "," } else { "" };
                plain(out, depth + 1, &format!("\"{k}\": "), item, comma);
            }
            out.push(format!("{pad}}}{comma}"));
        }
        other => out.push(format!("{pad}{head}{other}{comma}")),
    }
}

/// A unified diff with three lines of context; one region suffices for what users change.
fn unified(old: &[String], new: &[String]) -> String {
    let same = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail =
        old[same..].iter().rev().zip(new[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let from = same.saturating_sub(3);
    let until = |end: usize, len: usize| (end + 3).min(len);
    let (old_until, new_until) = (until(old_end, old.len()), until(new_end, new.len()));
    let mut text =
        format!("@@ -{},{} +{},{} @@\n", from + 1, old_until - from, from + 1, new_until - from);
    for line in &old[from..same] {
        let _ = writeln!(text, " {line}");
    }
    for line in &old[same..old_end] {
        let _ = writeln!(text, "-{line}");
    }
    for line in &new[same..new_end] {
        let _ = writeln!(text, "+{line}");
    }
    for line in &old[old_end..old_until] {
        let _ = writeln!(text, " {line}");
    }
    text.pop();
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn a_pods_difference_has_the_lines_of_the_recording() {
        let pod = |hostname: &'static str| {
            value!({
                "containers": [{
                    "image": "nginx", "imagePullPolicy": "IfNotPresent", "name": "nginx",
                    "ports": [{"containerPort": 80, "name": "web", "protocol": "TCP"}],
                    "resources": {},
                    "volumeMounts": [{"mountPath": "/usr/share/nginx/html", "name": "www"}]
                }],
                "hostname": hostname, "securityContext": {}, "subdomain": "nginx",
                "volumes": [{"name": "www", "persistentVolumeClaim": {"claimName": "www-web-0"}}]
            })
        };
        assert_eq!(
            super::pod(&pod("web-0"), &pod("x")),
            "@@ -119,7 +119,7 @@
   \"SELinuxChangePolicy\": null
  },
  \"ImagePullSecrets\": null,
- \"Hostname\": \"web-0\",
+ \"Hostname\": \"x\",
  \"Subdomain\": \"nginx\",
  \"SetHostnameAsFQDN\": null,
  \"Affinity\": null,"
        );
    }

    #[test]
    fn a_struct_on_one_line() {
        assert_eq!(
            compact("Toleration", &value!({"key": "a: b", "operator": "Exists"})),
            r#"{"Key":"a: b","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":null}"#
        );
        let context = value!({
            "capabilities": {"add": ["A\": b"]}, "seLinuxOptions": {"level": "s0"}, "runAsUser": 1
        });
        let text = compact("SecurityContext", &context);
        for part in [
            r#"{"Capabilities":{"Add":["A\": b"],"Drop":null},"Privileged":null,"#,
            r#""SELinuxOptions":{"User":"","Role":"","Type":"","Level":"s0"},"#,
            r#""RunAsUser":1,"#,
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_volumes_sources_have_their_go_names() {
        let volume = |path: &'static str| value!({"hostPath": {"path": path, "type": ""}});
        let text = source(&volume("/x"), &volume("/y"));
        assert!(text.starts_with("@@ -2,7 +2,7 @@\n  \"GCEPersistentDisk\": null,\n"), "{text}");
        assert!(text.contains("-  \"Path\": \"/x\",\n+  \"Path\": \"/y\",\n"), "{text}");
    }
}
