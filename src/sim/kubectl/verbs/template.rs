//! A pod template as `rollout history --revision` prints it: fields and values apart by tabs,
//! nothing aligned.

use std::fmt::Write as _;

use crate::kubectl::print::rows;
use crate::kubectl::verbs::common::LAST_APPLIED;
use crate::value::Value;

pub(crate) fn pairs(map: &Value, equals: &str) -> Vec<String> {
    map.pairs().map(|(k, v)| format!("{k}{equals}{}", v.str())).collect()
}

pub(crate) fn list(out: &mut String, indent: &str, label: &str, items: &[String]) {
    if items.is_empty() {
        let _ = writeln!(out, "{indent}{label}:\t<none>");
    }
    for (i, item) in items.iter().enumerate() {
        if i == 0 {
            let _ = writeln!(out, "{indent}{label}:\t{item}");
        } else {
            let _ = writeln!(out, "{indent}\t{item}");
        }
    }
}

/// Annotations longer than this have lines of their own.
const LONG: usize = 140;

/// Annotations but for what `apply` remembers; long ones and those of several lines begin in the
/// line after their name.
pub(crate) fn annotations(out: &mut String, indent: &str, map: &Value) {
    let mut items = Vec::new();
    for (k, v) in map.pairs().filter(|(k, _)| k.as_str() != LAST_APPLIED) {
        let value = v.str().strip_suffix('\n').unwrap_or(v.str());
        if value.len() + k.as_str().len() + 2 <= LONG && !value.contains('\n') {
            items.push(format!("{k}: {value}"));
            continue;
        }
        items.push(format!("{k}:"));
        for line in value.split('\n') {
            match line.char_indices().nth(LONG - 2) {
                Some((end, _)) => items.push(format!("  {}...", &line[..end])),
                None => items.push(format!("  {line}")),
            }
        }
    }
    list(out, indent, "Annotations", &items);
}

/// Topology spread constraints, if there are any.
pub(crate) fn spread(out: &mut String, indent: &str, spec: &Value) {
    let mut all: Vec<&Value> = spec["topologySpreadConstraints"].items().iter().collect();
    all.sort_by_key(|c| c["topologyKey"].str());
    let texts: Vec<String> = all.into_iter().map(constraint).collect();
    if !texts.is_empty() {
        list(out, indent, "Topology Spread Constraints", &texts);
    }
}

fn constraint(c: &Value) -> String {
    let (key, when) = (c["topologyKey"].str(), c["whenUnsatisfiable"].str());
    let skew = c["maxSkew"].int_or(1);
    let mut text = format!("{key}:{when} when max skew {skew} is exceeded");
    if !c["labelSelector"].is_null() {
        let _ = write!(text, " for selector {}", rows::selector(&c["labelSelector"]));
    }
    text
}

/// The block that begins with `Pod Template:`.
pub fn tabbed(template: &Value) -> String {
    let mut out = String::from("Pod Template:\n");
    let spec = &template["spec"];
    list(&mut out, "  ", "Labels", &pairs(&template["metadata"]["labels"], "="));
    if !template["metadata"]["annotations"].is_empty() {
        annotations(&mut out, "  ", &template["metadata"]["annotations"]);
    }
    let account = spec["serviceAccountName"].str();
    if !account.is_empty() {
        let _ = writeln!(out, "  Service Account:\t{account}");
    }
    for (field, label) in [("initContainers", "Init Containers"), ("containers", "Containers")] {
        if spec[field].is_empty() {
            continue;
        }
        let _ = writeln!(out, "  {label}:");
        for c in spec[field].items() {
            container(&mut out, "   ", c, None, None);
        }
    }
    volumes(&mut out, &spec["volumes"]);
    spread(&mut out, "  ", spec);
    if let Some(class) = spec["priorityClassName"].as_str().filter(|c| !c.is_empty()) {
        let _ = writeln!(out, "  Priority Class Name:\t{class}");
    }
    list(&mut out, "  ", "Node-Selectors", &pairs(&spec["nodeSelector"], "="));
    list(&mut out, "  ", "Tolerations", &tolerations(spec));
    out
}

/// Tolerations by their keys.
pub(crate) fn tolerations(spec: &Value) -> Vec<String> {
    let mut all: Vec<&Value> = spec["tolerations"].items().iter().collect();
    all.sort_by_key(|t| t["key"].str());
    all.into_iter().map(toleration).collect()
}

fn toleration(t: &Value) -> String {
    let mut s = t["key"].str().to_owned();
    if !t["value"].is_empty() {
        let _ = write!(s, "={}", t["value"].str());
    }
    if !t["effect"].is_empty() {
        let _ = write!(s, ":{}", t["effect"].str());
    }
    if t["operator"].str() == "Exists" {
        s.push_str(if s.is_empty() { "op=Exists" } else { " op=Exists" });
    }
    if let Some(n) = t["tolerationSeconds"].as_int() {
        let _ = write!(s, " for {n}s");
    }
    s
}

/// A container; with its status and its pod, as `kubectl describe pod` shows it.
pub(crate) fn container(
    out: &mut String,
    indent: &str,
    c: &Value,
    status: Option<&Value>,
    pod: Option<&Value>,
) {
    let _ = writeln!(out, "{indent}{}:", c["name"].str());
    if let Some(s) = status {
        let _ = writeln!(out, "    Container ID:\t{}", s["containerID"].str());
    }
    let _ = writeln!(out, "    Image:\t{}", c["image"].str());
    if let Some(s) = status {
        let _ = writeln!(out, "    Image ID:\t{}", s["imageID"].str());
    }
    let ports = c["ports"].items();
    let port = |p: &Value, field: &str| {
        let name = p["name"].str();
        let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
        format!(
            "{}/{}{name}",
            p[field].int_or(0),
            if p["protocol"].is_empty() { "TCP" } else { p["protocol"].str() }
        )
    };
    for (field, one, many) in
        [("containerPort", "Port", "Ports"), ("hostPort", "Host Port", "Host Ports")]
    {
        let shown: Vec<String> = ports.iter().map(|p| port(p, field)).collect();
        match shown.as_slice() {
            [] => {
                let _ = writeln!(out, "    {one}:\t<none>");
            }
            [p] => {
                let _ = writeln!(out, "    {one}:\t{p}");
            }
            all => {
                let _ = writeln!(out, "    {many}:\t{}", all.join(", "));
            }
        }
    }
    let seccomp = &c["securityContext"]["seccompProfile"];
    if !seccomp.is_null() {
        let _ = writeln!(out, "    SeccompProfile:\t{}", seccomp["type"].str());
    }
    for (field, label) in [("command", "Command"), ("args", "Args")] {
        if !c[field].is_empty() {
            let _ = writeln!(out, "    {label}:");
            for word in c[field].items() {
                for line in word.str().split('\n') {
                    let _ = writeln!(out, "      {line}");
                }
            }
        }
    }
    if let Some(s) = status {
        state(out, "State", &s["state"]);
        if !s["lastState"].is_empty() {
            state(out, "Last State", &s["lastState"]);
        }
        let ready = if s["ready"].is_true() { "True" } else { "False" };
        let _ = writeln!(out, "    Ready:\t{ready}");
        let _ = writeln!(out, "    Restart Count:\t{}", s["restartCount"].int_or(0));
    }
    for (field, label) in [("limits", "Limits"), ("requests", "Requests")] {
        if !c["resources"][field].is_empty() {
            let _ = writeln!(out, "    {label}:");
            for (k, v) in c["resources"][field].pairs() {
                let _ = writeln!(out, "      {k}:\t{}", v.str());
            }
        }
    }
    for (field, label) in [
        ("livenessProbe", "Liveness"),
        ("readinessProbe", "Readiness"),
        ("startupProbe", "Startup"),
    ] {
        if !c[field].is_null() {
            let _ = writeln!(out, "    {label}:\t{}", probe(&c[field]));
        }
    }
    environment(out, c, pod);
    let mut devices: Vec<&Value> = c["volumeDevices"].items().iter().collect();
    devices.sort_by_key(|d| d["devicePath"].str());
    let mounts = mounts(c);
    if mounts.is_empty() {
        let _ = writeln!(out, "    Mounts:\t<none>");
    } else {
        let _ = writeln!(out, "    Mounts:");
        for mount in mounts {
            let _ = writeln!(out, "      {mount}");
        }
    }
    if !devices.is_empty() {
        out.push_str("    Devices:\n");
    }
    for d in devices {
        let _ = writeln!(out, "      {} from {}", d["devicePath"].str(), d["name"].str());
    }
}

/// The mounts of a container, by path.
fn mounts(c: &Value) -> Vec<String> {
    let mut mounts: Vec<&Value> = c["volumeMounts"].items().iter().collect();
    mounts.sort_by_key(|m| m["mountPath"].str());
    let line = |m: &Value| {
        let mode = if m["readOnly"].is_true() { "ro" } else { "rw" };
        let path = match m["subPath"].str() {
            "" => String::new(),
            path => format!(",path={path:?}"),
        };
        format!("{} from {} ({mode}{path})", m["mountPath"].str(), m["name"].str())
    };
    mounts.into_iter().map(line).collect()
}

/// Where a container's variables come from, and what they are.
fn environment(out: &mut String, c: &Value, pod: Option<&Value>) {
    if !c["envFrom"].is_empty() {
        out.push_str("    Environment Variables from:\n");
    }
    for e in c["envFrom"].items() {
        let (kind, from) = match &e["configMapRef"] {
            Value::Null => ("Secret", &e["secretRef"]),
            from => ("ConfigMap", from),
        };
        let prefix = match e["prefix"].str() {
            "" => String::new(),
            prefix => format!(" with prefix '{prefix}'"),
        };
        let optional = from["optional"].is_true();
        let _ = writeln!(out, "      {}\t{kind}{prefix}\tOptional: {optional}", from["name"].str());
    }
    if c["env"].is_empty() {
        out.push_str("    Environment:\t<none>\n");
        return;
    }
    out.push_str("    Environment:\n");
    for e in c["env"].items() {
        let value = variable(c, &e["valueFrom"], pod);
        let value = value.unwrap_or_else(|| e["value"].str().replace('\n', "\n      \t"));
        let _ = writeln!(out, "      {}:\t{value}", e["name"].str());
    }
}

/// What `describe` says of a variable that takes its value from elsewhere.
fn variable(c: &Value, from: &Value, pod: Option<&Value>) -> Option<String> {
    let key = |place: &Value, word: &str| {
        format!(
            "<set to the key '{}' {word} '{}'>\tOptional: {}",
            place["key"].str(),
            place["name"].str(),
            place["optional"].is_true()
        )
    };
    let (field, resource) = (&from["fieldRef"], &from["resourceFieldRef"]);
    if !field.is_null() {
        let path = field["fieldPath"].str();
        let version = field["apiVersion"].as_str().filter(|v| !v.is_empty()).unwrap_or("v1");
        let known = pod.filter(|_| matches!(path, "metadata.name" | "metadata.namespace"));
        let value = known.map_or("", |p| p.at(path).str());
        Some(format!("{value} ({version}:{path})"))
    } else if !resource.is_null() {
        let name = resource["resource"].str();
        let value = match crate::storage::mounts::amount(c, resource) {
            0 if matches!(name, "limits.cpu" | "limits.memory") => "node allocatable".to_owned(),
            n => n.to_string(),
        };
        Some(format!("{value} ({name})"))
    } else if !from["configMapKeyRef"].is_null() {
        Some(key(&from["configMapKeyRef"], "of config map"))
    } else if !from["secretKeyRef"].is_null() {
        Some(key(&from["secretKeyRef"], "in secret"))
    } else {
        None
    }
}

/// A time as `describe` prints it.
pub(crate) fn time(v: &Value) -> String {
    crate::api::time::parse(v.str()).map_or_else(|| v.str().to_owned(), crate::api::time::rfc1123)
}

fn state(out: &mut String, label: &str, s: &Value) {
    if !s["running"].is_null() {
        let _ = writeln!(
            out,
            "    {label}:\tRunning\n      Started:\t{}",
            time(&s["running"]["startedAt"])
        );
    } else if !s["terminated"].is_null() {
        let t = &s["terminated"];
        let _ = writeln!(out, "    {label}:\tTerminated");
        if !t["reason"].is_empty() {
            let _ = writeln!(out, "      Reason:\t{}", t["reason"].str());
        }
        if !t["message"].is_empty() {
            let _ = writeln!(out, "      Message:\t{}", t["message"].str());
        }
        let _ = writeln!(out, "      Exit Code:\t{}", t["exitCode"].int_or(0));
        if let Some(n) = t["signal"].as_int().filter(|n| *n > 0) {
            let _ = writeln!(out, "      Signal:\t{n}");
        }
        let _ = writeln!(out, "      Started:\t{}", time(&t["startedAt"]));
        let _ = writeln!(out, "      Finished:\t{}", time(&t["finishedAt"]));
    } else {
        let _ = writeln!(out, "    {label}:\tWaiting");
        if !s["waiting"]["reason"].is_empty() {
            let _ = writeln!(out, "      Reason:\t{}", s["waiting"]["reason"].str());
        }
    }
}

fn probe(p: &Value) -> String {
    let number = |v: &Value| match v {
        Value::Int(i) => i.to_string(),
        v => v.str().to_owned(),
    };
    let what = if !p["exec"].is_null() {
        let words: Vec<&str> = p["exec"]["command"].items().iter().map(Value::str).collect();
        format!("exec [{}]", words.join(" "))
    } else if !p["httpGet"].is_null() {
        let h = &p["httpGet"];
        let scheme = h["scheme"].as_str().unwrap_or("HTTP").to_lowercase();
        format!("http-get {scheme}://{}:{}{}", h["host"].str(), number(&h["port"]), h["path"].str())
    } else if !p["tcpSocket"].is_null() {
        let t = &p["tcpSocket"];
        format!("tcp-socket {}:{}", t["host"].str(), number(&t["port"]))
    } else if !p["grpc"].is_null() {
        format!("grpc <pod>:{} {}", number(&p["grpc"]["port"]), p["grpc"]["service"].str())
    } else {
        "unknown".to_owned()
    };
    format!(
        "{what} delay={}s timeout={}s period={}s #success={} #failure={}",
        p["initialDelaySeconds"].int_or(0),
        p["timeoutSeconds"].int_or(1),
        p["periodSeconds"].int_or(10),
        p["successThreshold"].int_or(1),
        p["failureThreshold"].int_or(3)
    )
}

fn volumes(out: &mut String, volumes: &Value) {
    volumes_at(out, "  ", "   ", volumes);
}

/// Volumes: the heading and the names stand after these indentations.
pub(crate) fn volumes_at(out: &mut String, head: &str, indent: &str, volumes: &Value) {
    if volumes.is_empty() {
        let _ = writeln!(out, "{head}Volumes:\t<none>");
        return;
    }
    let _ = writeln!(out, "{head}Volumes:");
    for v in volumes.items() {
        let _ = writeln!(out, "{indent}{}:", v["name"].str());
        let mut lines: Vec<(&str, String)> = Vec::new();
        if let Some(s) = v.as_map().and_then(|m| m.get("emptyDir")) {
            let limit = s["sizeLimit"].str();
            lines.push((
                "Type",
                "EmptyDir (a temporary directory that shares a pod's lifetime)".to_owned(),
            ));
            lines.push(("Medium", s["medium"].str().to_owned()));
            lines.push(("SizeLimit", if limit.is_empty() { "<unset>" } else { limit }.to_owned()));
        } else if !v["persistentVolumeClaim"].is_null() {
            let s = &v["persistentVolumeClaim"];
            lines.push((
                "Type",
                "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)"
                    .to_owned(),
            ));
            lines.push(("ClaimName", s["claimName"].str().to_owned()));
            lines.push(("ReadOnly", s["readOnly"].is_true().to_string()));
        } else if !v["configMap"].is_null() {
            let s = &v["configMap"];
            lines.push(("Type", "ConfigMap (a volume populated by a ConfigMap)".to_owned()));
            lines.push(("Name", s["name"].str().to_owned()));
            lines.push(("Optional", s["optional"].is_true().to_string()));
        } else if !v["secret"].is_null() {
            let s = &v["secret"];
            lines.push(("Type", "Secret (a volume populated by a Secret)".to_owned()));
            lines.push(("SecretName", s["secretName"].str().to_owned()));
            lines.push(("Optional", s["optional"].is_true().to_string()));
        } else if !v["hostPath"].is_null() {
            let s = &v["hostPath"];
            lines.push(("Type", "HostPath (bare host directory volume)".to_owned()));
            lines.push(("Path", s["path"].str().to_owned()));
            lines.push(("HostPathType", s["type"].str().to_owned()));
        } else if !v["projected"].is_null() {
            projected(&mut lines, &v["projected"]["sources"]);
        } else if !v["nfs"].is_null() {
            let s = &v["nfs"];
            lines.push(("Type", "NFS (an NFS mount that lasts the lifetime of a pod)".to_owned()));
            lines.push(("Server", s["server"].str().to_owned()));
            lines.push(("Path", s["path"].str().to_owned()));
            lines.push(("ReadOnly", s["readOnly"].is_true().to_string()));
        } else if !v["image"].is_null() {
            let s = &v["image"];
            lines.push(("Type", "Image (a container image or OCI artifact)".to_owned()));
            lines.push(("Reference", s["reference"].str().to_owned()));
            lines.push(("PullPolicy", s["pullPolicy"].str().to_owned()));
        } else if !v["csi"].is_null() {
            let s = &v["csi"];
            let kind = "CSI (a Container Storage Interface (CSI) volume source)";
            lines.push(("Type", kind.to_owned()));
            lines.push(("Driver", s["driver"].str().to_owned()));
            lines.push(("FSType", s["fsType"].str().to_owned()));
            lines.push(("ReadOnly", s["readOnly"].is_true().to_string()));
            lines.push(("VolumeAttributes", below(&s["volumeAttributes"], "<none>")));
        } else if !v["downwardAPI"].is_null() {
            let kind = "DownwardAPI (a volume populated by information about the pod)";
            lines.push(("Type", kind.to_owned()));
            let mut items = String::new();
            for item in v["downwardAPI"]["items"].items() {
                let (field, resource) = (&item["fieldRef"], &item["resourceFieldRef"]);
                let what =
                    if field.is_null() { &resource["resource"] } else { &field["fieldPath"] };
                let _ = write!(items, "\n      {} -> {}", what.str(), item["path"].str());
            }
            lines.push(("Items", items));
        } else if !v["ephemeral"].is_null() {
            ephemeral(&mut lines, &v["ephemeral"]["volumeClaimTemplate"]);
        } else {
            let _ = writeln!(out, "  <unknown>");
        }
        for (label, value) in lines {
            // what begins with a line end is a list of its own, without a column
            let tab = if value.starts_with('\n') { "" } else { "\t" };
            let _ = writeln!(out, "    {label}:{tab}{value}");
        }
    }
}

/// Pairs under each other, each with the indentation that kubectl's writer adds to every piece.
fn below(pairs: &Value, nothing: &str) -> String {
    let all: Vec<String> = pairs.pairs().map(|(k, v)| format!("    {k}={}", v.str())).collect();
    if all.is_empty() { nothing.to_owned() } else { all.join("\n        \t") }
}

/// A claim that lives with its pod.
fn ephemeral(lines: &mut Vec<(&'static str, String)>, template: &Value) {
    let kind = "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)";
    lines.push(("Type", kind.to_owned()));
    let (meta, spec) = (&template["metadata"], &template["spec"]);
    lines.push(("StorageClass", spec["storageClassName"].str().to_owned()));
    lines.push(("Volume", spec["volumeName"].str().to_owned()));
    lines.push(("Labels", below(&meta["labels"], "    <none>")));
    lines.push(("Annotations", below(&meta["annotations"], "    <none>")));
    lines.push(("Capacity", String::new()));
    lines.push(("Access Modes", String::new()));
    if let Some(mode) = spec["volumeMode"].as_str() {
        lines.push(("VolumeMode", mode.to_owned()));
    }
}

fn projected(lines: &mut Vec<(&'static str, String)>, sources: &Value) {
    let kind = "Projected (a volume that contains injected data from multiple sources)";
    lines.push(("Type", kind.to_owned()));
    for source in sources.items() {
        for (field, label) in [("secret", "SecretName"), ("configMap", "ConfigMapName")] {
            let s = &source[field];
            if !s.is_null() {
                lines.push((label, s["name"].str().to_owned()));
                lines.push(("Optional", s["optional"].is_true().to_string()));
            }
        }
        if !source["downwardAPI"].is_null() {
            lines.push(("DownwardAPI", "true".to_owned()));
        }
        let token = &source["serviceAccountToken"];
        if !token.is_null() {
            let seconds = token["expirationSeconds"].int_or(3600).to_string();
            lines.push(("TokenExpirationSeconds", seconds));
        }
    }
}
