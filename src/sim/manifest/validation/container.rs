//! Containers of pods and templates (behaviour/validation.md 4).

use super::volume::{self, Known};
use super::{Errors, PULL, names, quoted, resources, security};
use crate::value::Value;

const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const PORT: &str = "must be between 1 and 65535, inclusive";

/// What of a pod's spec its containers must fit.
pub(super) struct Around<'a> {
    pub(super) volumes: Vec<Known<'a>>,
    pub(super) claims: Vec<&'a str>,
    /// Seconds that the pod has for its end.
    pub(super) grace: i64,
    pub(super) os: &'a str,
    /// `hostUsers` is not false.
    pub(super) host_users: bool,
    pub(super) restart: &'a str,
    /// A real pod, not a template.
    pub(super) pod: bool,
}

/// The containers of a spec, all three lists of them.
pub(super) fn all(e: &mut Errors, path: &str, s: &Value, around: &Around) {
    let list = s["containers"].items();
    if list.is_empty() {
        e.required(format!("{path}.containers"), "");
    }
    let mut seen: Vec<&str> = Vec::new();
    for (i, c) in list.iter().enumerate() {
        let at = format!("{path}.containers[{i}]");
        common(e, &at, c, around);
        unique_name(e, &at, c, &mut seen);
        running(e, &at, c, around);
        restart_policy(e, &at, c);
    }
    host_ports(e, path, list, "containers");
    for (i, c) in s["initContainers"].items().iter().enumerate() {
        let at = format!("{path}.initContainers[{i}]");
        common(e, &at, c, around);
        restart_policy(e, &at, c);
        unique_name(e, &at, c, &mut seen);
        host_ports(e, path, std::slice::from_ref(c), "initContainers");
        if c["restartPolicy"].str() == "Always" {
            running(e, &at, c, around);
            continue;
        }
        for key in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if !c[key].is_null() {
                e.forbidden(
                    format!("{at}.{key}"),
                    "may not be set for init containers without restartPolicy=Always",
                );
            }
        }
    }
}

fn unique_name<'a>(e: &mut Errors, at: &str, c: &'a Value, seen: &mut Vec<&'a str>) {
    let name = c["name"].str();
    if seen.contains(&name) {
        e.duplicate(format!("{at}.name"), &quoted(name));
    } else if !name.is_empty() {
        seen.push(name);
    }
}

/// What all containers must fulfil.
fn common(e: &mut Errors, at: &str, c: &Value, around: &Around) {
    let name = c["name"].str();
    if name.is_empty() {
        e.required(format!("{at}.name"), "");
    } else {
        names::check_label(e, &format!("{at}.name"), name);
    }
    if c["image"].str().is_empty() {
        e.required(format!("{at}.image"), "");
    }
    e.one_of(
        format!("{at}.terminationMessagePolicy"),
        &c["terminationMessagePolicy"],
        &["File", "FallbackToLogsOnError"],
    );
    ports(e, at, c);
    environment(e, at, c);
    mounts(e, &format!("{at}.volumeMounts"), c, &around.volumes);
    devices(e, &format!("{at}.volumeDevices"), c, &around.volumes);
    e.one_of(format!("{at}.imagePullPolicy"), &c["imagePullPolicy"], PULL);
    resources::resources(e, &format!("{at}.resources"), &c["resources"], &around.claims);
    resources::resize(e, &format!("{at}.resizePolicy"), &c["resizePolicy"], around.restart);
    security::container(
        e,
        &format!("{at}.securityContext"),
        &c["securityContext"],
        around.host_users,
    );
}

/// What a container that goes on running may have.
fn running(e: &mut Errors, at: &str, c: &Value, around: &Around) {
    let life = &c["lifecycle"];
    for key in ["postStart", "preStop"] {
        if !life[key].is_null() {
            handler(e, &format!("{at}.lifecycle.{key}"), life.get(key), around.grace, true);
        }
    }
    if !life["stopSignal"].is_null() && around.os.is_empty() {
        e.forbidden(
            format!("{at}.lifecycle.stopSignal"),
            "may not be set for containers with empty `spec.os.name`",
        );
    }
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        probe(e, &format!("{at}.{key}"), &c[key], key, around.grace);
    }
}

fn restart_policy(e: &mut Errors, at: &str, c: &Value) {
    let rules = c["restartPolicyRules"].items();
    if c["restartPolicy"].is_null() {
        if !rules.is_empty() {
            e.required(
                format!("{at}.restartPolicy"),
                "must specify restartPolicy when restart rules are used",
            );
        }
    } else {
        e.one_of(
            format!("{at}.restartPolicy"),
            &c["restartPolicy"],
            &["Always", "Never", "OnFailure"],
        );
    }
    for (i, r) in rules.iter().enumerate() {
        let at = format!("{at}.restartPolicyRules[{i}]");
        e.one_of(format!("{at}.action"), &r["action"], &["Restart"]);
        if r["exitCodes"].is_null() {
            e.required(format!("{at}.exitCodes"), "must be specified");
        } else {
            let operator = &r["exitCodes"]["operator"];
            e.one_of(format!("{at}.exitCodes.operator"), operator, &["In", "NotIn"]);
        }
    }
}

/// What is wrong with a port's name (an IANA service name).
pub fn port_name_faults(name: &str) -> Vec<&'static str> {
    let mut out = Vec::new();
    if name.len() > 15 {
        out.push("must be no more than 15 characters");
    }
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || !name.bytes().all(word) {
        out.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    }
    if !name.bytes().any(|b| b.is_ascii_lowercase()) {
        out.push("must contain at least one letter (a-z)");
    }
    if name.contains("--") {
        out.push("must not contain consecutive hyphens");
    }
    if name.starts_with('-') || name.ends_with('-') {
        out.push("must not begin or end with a hyphen");
    }
    out
}

/// A port by its number or its name.
pub(super) fn port(e: &mut Errors, field: &str, v: &Value) {
    match v {
        Value::Str(name) => {
            for fault in port_name_faults(name) {
                e.invalid(field, quoted(name), fault);
            }
        }
        v => port_number(e, field, v.int_or(0)),
    }
}

pub(super) fn port_number(e: &mut Errors, field: &str, n: i64) {
    if !(1..=65_535).contains(&n) {
        e.invalid(field, n.to_string(), PORT);
    }
}

fn ports(e: &mut Errors, at: &str, c: &Value) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, p) in c["ports"].items().iter().enumerate() {
        let at = format!("{at}.ports[{i}]");
        let name = p["name"].str();
        if !name.is_empty() {
            let faults = port_name_faults(name);
            if faults.is_empty() {
                if seen.contains(&name) {
                    e.duplicate(format!("{at}.name"), &quoted(name));
                } else {
                    seen.push(name);
                }
            }
            for fault in faults {
                e.invalid(format!("{at}.name"), quoted(name), fault);
            }
        }
        match p["containerPort"].int_or(0) {
            0 => e.required(format!("{at}.containerPort"), ""),
            n => port_number(e, &format!("{at}.containerPort"), n),
        }
        if let Some(n) = p["hostPort"].as_int().filter(|n| *n != 0) {
            port_number(e, &format!("{at}.hostPort"), n);
        }
        e.one_of(format!("{at}.protocol"), &p["protocol"], PROTOCOLS);
    }
}

/// Two containers cannot have one port of the node.
fn host_ports(e: &mut Errors, path: &str, list: &[Value], name: &str) {
    let mut seen: Vec<String> = Vec::new();
    for (i, c) in list.iter().enumerate() {
        for (j, p) in c["ports"].items().iter().enumerate() {
            let Some(port) = p["hostPort"].as_int().filter(|n| *n != 0) else { continue };
            let one = format!("{}/{}/{port}", p["protocol"].str(), p["hostIP"].str());
            if seen.contains(&one) {
                e.duplicate(format!("{path}.{name}[{i}].ports[{j}].hostPort"), &quoted(&one));
            } else {
                seen.push(one);
            }
        }
    }
}

fn variable_name(e: &mut Errors, field: &str, name: &str) {
    if name.contains('=') || !name.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        e.invalid(field, quoted(name), "a valid environment variable name must consist only of printable ASCII characters other than '='");
    }
}

fn environment(e: &mut Errors, at: &str, c: &Value) {
    for (i, v) in c["env"].items().iter().enumerate() {
        let at = format!("{at}.env[{i}]");
        let name = v["name"].str();
        if name.is_empty() {
            e.required(format!("{at}.name"), "");
        } else {
            variable_name(e, &format!("{at}.name"), name);
        }
        if !v["valueFrom"].is_null() {
            value_from(e, &format!("{at}.valueFrom"), v);
        }
    }
    let field = format!("{at}.envFrom");
    for (i, v) in c["envFrom"].items().iter().enumerate() {
        let at = format!("{field}[{i}]");
        variable_name(e, &format!("{at}.prefix"), v["prefix"].str());
        let mut number = 0;
        for key in ["configMapRef", "secretRef"] {
            if v[key].is_null() {
                continue;
            }
            number += 1;
            let name = v[key]["name"].str();
            if name.is_empty() {
                e.required(format!("{at}.{key}.name"), "");
            } else {
                names::check_subdomain(e, &format!("{at}.{key}.name"), name);
            }
        }
        match number {
            0 => e.invalid(&*field, "\"\"", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => e.invalid(&*field, "\"\"", "may not have more than one field specified at a time"),
        }
    }
}

fn value_from(e: &mut Errors, at: &str, v: &Value) {
    const FIELDS: &[&str] = &[
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    let from = &v["valueFrom"];
    let mut number = 0;
    for key in ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"] {
        let r = from.get(key);
        if r.is_null() {
            continue;
        }
        number += 1;
        let here = format!("{at}.{key}");
        match key {
            "fieldRef" => volume::field_ref(e, &here, r, FIELDS),
            "resourceFieldRef" => volume::resource_ref(e, &here, r, false),
            "fileKeyRef" => {
                for key in ["key", "volumeName", "path"].iter().filter(|k| r.get(k).is_empty()) {
                    e.required(format!("{here}.{key}"), "");
                }
                volume::no_way_up(e, &format!("{here}.path"), r["path"].str());
            }
            _ => {
                names::check_subdomain(e, &format!("{here}.name"), r["name"].str());
                let key = r["key"].str();
                if key.is_empty() {
                    e.required(format!("{here}.key"), "");
                } else {
                    for fault in names::config_key_faults(key) {
                        e.invalid(format!("{here}.key"), quoted(key), fault);
                    }
                }
            }
        }
    }
    if number == 0 {
        e.invalid(at, "\"\"", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`");
    } else if !v["value"].is_empty() {
        e.invalid(at, "\"\"", "may not be specified when `value` is not empty");
    } else if number > 1 {
        e.invalid(at, "\"\"", "may not have more than one field specified at a time");
    }
}

fn mounts(e: &mut Errors, field: &str, c: &Value, volumes: &[Known]) {
    let devices = c["volumeDevices"].items();
    let mut seen: Vec<&str> = Vec::new();
    for (i, m) in c["volumeMounts"].items().iter().enumerate() {
        let at = format!("{field}[{i}]");
        let (name, path) = (m["name"].str(), m["mountPath"].str());
        if name.is_empty() {
            e.required(format!("{at}.name"), "");
        }
        if !volumes.iter().any(|k| k.name == name) {
            e.not_found(format!("{at}.name"), name);
        }
        if path.is_empty() {
            e.required(format!("{at}.mountPath"), "");
        }
        if seen.contains(&path) {
            e.invalid(format!("{at}.mountPath"), quoted(path), "must be unique");
        }
        seen.push(path);
        if devices.iter().any(|d| d["name"].str() == name) {
            e.invalid(
                format!("{at}.name"),
                quoted(name),
                "must not already exist in volumeDevices",
            );
        }
        if devices.iter().any(|d| d["devicePath"].str() == path) {
            let detail = "must not already exist as a path in volumeDevices";
            e.invalid(format!("{at}.mountPath"), quoted(path), detail);
        }
        // the server names the list here, not its item
        let (sub, expr) = (m["subPath"].str(), m["subPathExpr"].str());
        volume::descending(e, &format!("{field}.subPath"), sub);
        if !expr.is_empty() {
            if !sub.is_empty() {
                let detail = "subPathExpr and subPath are mutually exclusive";
                e.invalid(format!("{at}.subPathExpr"), quoted(expr), detail);
            }
            volume::descending(e, &format!("{field}.subPathExpr"), expr);
        }
        let propagation = &m["mountPropagation"];
        let here = format!("{field}.mountPropagation");
        e.one_of(&*here, propagation, &["Bidirectional", "HostToContainer", "None"]);
        let privileged = c["securityContext"]["privileged"].is_true();
        if propagation.str() == "Bidirectional" && !privileged {
            e.forbidden(
                here,
                "Bidirectional mount propagation is available only to privileged containers",
            );
        }
        let recursive = &m["recursiveReadOnly"];
        let here = format!("{field}.recursiveReadOnly");
        e.one_of(&*here, recursive, &["Disabled", "Enabled", "IfPossible"]);
        if matches!(recursive.str(), "Enabled" | "IfPossible") {
            if !m["readOnly"].is_true() {
                e.forbidden(&*here, "may only be specified when readOnly is true");
            }
            if !matches!(propagation.str(), "" | "None") {
                e.forbidden(
                    here,
                    "may only be specified when mountPropagation is None or not specified",
                );
            }
        }
    }
}

fn devices(e: &mut Errors, field: &str, c: &Value, volumes: &[Known]) {
    let mounts = c["volumeMounts"].items();
    let (mut names, mut paths): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for (i, d) in c["volumeDevices"].items().iter().enumerate() {
        let at = format!("{field}[{i}]");
        let (name, path) = (d["name"].str(), d["devicePath"].str());
        if name.is_empty() {
            e.required(format!("{at}.name"), "");
        }
        if names.contains(&name) {
            e.invalid(format!("{at}.name"), quoted(name), "must be unique");
        }
        match volumes.iter().find(|k| k.name == name) {
            Some(k) if !k.claim => e.invalid(format!("{at}.name"), quoted(name), "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"),
            Some(_) => {}
            None => e.not_found(format!("{at}.name"), name),
        }
        if path.is_empty() {
            e.required(format!("{at}.devicePath"), "");
        }
        if paths.contains(&path) {
            e.invalid(format!("{at}.devicePath"), quoted(path), "must be unique");
        }
        if path.split('/').any(|p| p == "..") {
            e.invalid(format!("{at}.devicePath"), quoted(path), "can not contain backsteps ('..')");
        } else {
            paths.push(path);
        }
        if mounts.iter().any(|m| m["name"].str() == name) {
            e.invalid(format!("{at}.name"), quoted(name), "must not already exist in volumeMounts");
        }
        if mounts.iter().any(|m| m["mountPath"].str() == path) {
            let detail = "must not already exist as a path in volumeMounts";
            e.invalid(format!("{at}.devicePath"), quoted(path), detail);
        }
        if !name.is_empty() {
            names.push(name);
        }
    }
}

fn handler(e: &mut Errors, at: &str, h: &Value, grace: i64, life: bool) {
    let kinds: &[&str] = if life {
        &["exec", "httpGet", "tcpSocket", "sleep"]
    } else {
        &["exec", "httpGet", "tcpSocket", "grpc"]
    };
    let mut found = kinds.iter().filter(|k| !h.get(k).is_null());
    let Some(first) = found.next() else {
        return e.required(at, "must specify a handler type");
    };
    let here = format!("{at}.{first}");
    let v = h.get(first);
    match *first {
        "exec" if v["command"].is_empty() => e.required(format!("{here}.command"), ""),
        "httpGet" => {
            port(e, &format!("{here}.port"), &v["port"]);
            e.one_of(format!("{here}.scheme"), &v["scheme"], &["HTTP", "HTTPS"]);
            for header in v["httpHeaders"].items() {
                let name = header["name"].str();
                let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
                if name.is_empty() || !name.chars().all(word) {
                    e.invalid(format!("{here}.httpHeaders"), quoted(name), "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')");
                }
            }
        }
        "tcpSocket" | "grpc" => port(e, &format!("{here}.port"), &v["port"]),
        "sleep" => {
            let detail = format!(
                "must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            );
            e.range(here, &v["seconds"], 0, grace, &detail);
        }
        _ => {}
    }
    for more in found {
        e.forbidden(format!("{at}.{more}"), "may not specify more than 1 handler type");
    }
}

fn probe(e: &mut Errors, at: &str, p: &Value, which: &str, grace: i64) {
    if p.is_null() {
        return;
    }
    handler(e, at, p, grace, false);
    for key in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        e.not_negative(format!("{at}.{key}"), p.get(key));
    }
    let own = &p["terminationGracePeriodSeconds"];
    let field = format!("{at}.terminationGracePeriodSeconds");
    e.range(&*field, own, 1, i64::MAX, "must be greater than 0");
    if which == "readinessProbe" {
        if !own.is_null() {
            e.invalid(field, own.to_string(), "must not be set for readinessProbes");
        }
    } else {
        e.range(format!("{at}.successThreshold"), &p["successThreshold"], 1, 1, "must be 1");
    }
}
