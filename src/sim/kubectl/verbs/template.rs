//! A pod template as `rollout history --revision` prints it: fields and values apart by tabs,
//! nothing aligned.

use std::fmt::Write as _;

use crate::kubectl::print::rows;
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
            let _ = writeln!(out, "\t{item}");
        }
    }
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
    let notes = pairs(&template["metadata"]["annotations"], ": ");
    if !notes.is_empty() {
        list(&mut out, "  ", "Annotations", &notes);
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
            container(&mut out, "   ", c, None);
        }
    }
    volumes(&mut out, &spec["volumes"]);
    spread(&mut out, "  ", spec);
    if let Some(class) = spec["priorityClassName"].as_str().filter(|c| !c.is_empty()) {
        let _ = writeln!(out, "  Priority Class Name:\t{class}");
    }
    list(&mut out, "  ", "Node-Selectors", &pairs(&spec["nodeSelector"], "="));
    let tolerations: Vec<String> = spec["tolerations"].items().iter().map(toleration).collect();
    list(&mut out, "  ", "Tolerations", &tolerations);
    out
}

pub(crate) fn toleration(t: &Value) -> String {
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

/// A container; with its status, as `kubectl describe pod` shows it.
pub(crate) fn container(out: &mut String, indent: &str, c: &Value, status: Option<&Value>) {
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
    for (field, label) in [("command", "Command"), ("args", "Args")] {
        if !c[field].is_empty() {
            let _ = writeln!(out, "    {label}:");
            for word in c[field].items() {
                for line in word.str().lines() {
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
    if c["env"].is_empty() {
        let _ = writeln!(out, "    Environment:\t<none>");
    } else {
        let _ = writeln!(out, "    Environment:");
        for e in c["env"].items() {
            let from = &e["valueFrom"];
            let value = if !from["fieldRef"].is_null() {
                format!(
                    " ({}:{})",
                    if from["fieldRef"]["apiVersion"].is_empty() {
                        "v1"
                    } else {
                        from["fieldRef"]["apiVersion"].str()
                    },
                    from["fieldRef"]["fieldPath"].str()
                )
            } else if !from["configMapKeyRef"].is_null() {
                format!(
                    "<set to the key '{}' of config map '{}'>\tOptional: {}",
                    from["configMapKeyRef"]["key"].str(),
                    from["configMapKeyRef"]["name"].str(),
                    from["configMapKeyRef"]["optional"].is_true()
                )
            } else if !from["secretKeyRef"].is_null() {
                format!(
                    "<set to the key '{}' in secret '{}'>\tOptional: {}",
                    from["secretKeyRef"]["key"].str(),
                    from["secretKeyRef"]["name"].str(),
                    from["secretKeyRef"]["optional"].is_true()
                )
            } else {
                e["value"].str().to_owned()
            };
            let _ = writeln!(out, "      {}:\t{value}", e["name"].str());
        }
    }
    if c["volumeMounts"].is_empty() {
        let _ = writeln!(out, "    Mounts:\t<none>");
    } else {
        let _ = writeln!(out, "    Mounts:");
        let mut mounts: Vec<&Value> = c["volumeMounts"].items().iter().collect();
        mounts.sort_by_key(|m| m["mountPath"].to_str());
        for m in mounts {
            let mode = if m["readOnly"].is_true() { "ro" } else { "rw" };
            let path = if m["subPath"].is_empty() {
                String::new()
            } else {
                format!(",path={:?}", m["subPath"].str())
            };
            let _ = writeln!(
                out,
                "      {} from {} ({mode}{path})",
                m["mountPath"].str(),
                m["name"].str()
            );
        }
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
        } else {
            lines.push(("<unknown>", String::new()));
        }
        for (label, value) in lines {
            let _ = writeln!(out, "    {label}:\t{value}");
        }
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
