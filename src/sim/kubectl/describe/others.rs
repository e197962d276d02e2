//! Accounts, roles, ingresses, addresses.

use std::fmt::Write as _;

use super::*;

fn joined(list: &Value) -> String {
    let all: Vec<&str> = list.items().iter().map(Value::str).collect();
    all.join(" ")
}

pub(super) fn endpoints(out: &mut String, obj: &Obj) {
    head(out, obj);
    out.push_str("Subsets:\n");
    for s in obj.value["subsets"].items() {
        for (field, label) in
            [("addresses", "Addresses"), ("notReadyAddresses", "NotReadyAddresses")]
        {
            let all: Vec<&str> = s[field].items().iter().map(|a| a["ip"].str()).collect();
            let all = if all.is_empty() { "<none>".to_owned() } else { all.join(",") };
            line(out, &format!("  {label}"), &all);
        }
        if !s["ports"].is_empty() {
            out.push_str("  Ports:\n    Name\tPort\tProtocol\n    ----\t----\t--------\n");
        }
        for p in s["ports"].items() {
            let name = p["name"].as_str().filter(|n| !n.is_empty()).unwrap_or("<unset>");
            let _ = writeln!(out, "    {name}\t{}\t{}", p["port"].int_or(0), p["protocol"].str());
        }
        out.push('\n');
    }
}

pub(super) fn service_account(out: &mut String, obj: &Obj) {
    head(out, obj);
    let mut label = "Image pull secrets:";
    for s in obj.value["imagePullSecrets"].items() {
        let _ = writeln!(out, "{label}\t{}", s["name"].str());
        label = "                   ";
    }
    if obj.value["imagePullSecrets"].is_empty() {
        let _ = writeln!(out, "{label}\t<none>");
    }
}

pub(super) fn priority_class(out: &mut String, obj: &Obj) {
    line(out, "Name", &obj.name());
    line(out, "Value", &obj.value["value"].int_or(0).to_string());
    line(out, "GlobalDefault", &obj.value["globalDefault"].is_true().to_string());
    let policy = obj.value["preemptionPolicy"].as_str().unwrap_or("<nil>");
    line(out, "PreemptionPolicy", policy);
    line(out, "Description", obj.value["description"].str());
    line(out, "Annotations", &rows::labels(&obj.meta()["annotations"]));
}

/// The rules, one resource a row.
pub(super) fn role(out: &mut String, obj: &Obj) {
    line(out, "Name", &obj.name());
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    out.push_str("PolicyRule:\n  Resources\tNon-Resource URLs\tResource Names\tVerbs\n  ---------\t-----------------\t--------------\t-----\n");
    for rule in compacted(&obj.value["rules"]) {
        let _ = writeln!(
            out,
            "  {}\t[{}]\t[{}]\t[{}]",
            qualified(rule.resource, rule.group),
            rule.url,
            rule.name,
            rule.verbs.join(" ")
        );
    }
}

/// A row of a role; what it is not about is empty.
#[derive(Default)]
struct Rule<'a> {
    verbs: Vec<&'a str>,
    group: &'a str,
    resource: &'a str,
    name: &'a str,
    url: &'a str,
}

impl Rule<'_> {
    /// What kubectl sorts by: the verbs come first.
    fn order(&self) -> String {
        let Rule { verbs, group, resource, name, url } = self;
        let verbs = verbs.join(" ");
        format!("[{verbs}],[{group}],[{resource}],[{name}],[{url}]")
    }
}

/// One row for each resource and name, with the verbs of all rules about them. URLs are not
/// merged: kubectl gives each verb its own row.
fn compacted(rules: &Value) -> Vec<Rule<'_>> {
    let mut rows: Vec<Rule> = Vec::new();
    for rule in rules.items() {
        let names = rule["resourceNames"].items();
        let names = if names.is_empty() { &[Value::Null] } else { names };
        let verbs = || rule["verbs"].items().iter().map(Value::str);
        for group in rule["apiGroups"].items().iter().map(Value::str) {
            for resource in rule["resources"].items().iter().map(Value::str) {
                for name in names.iter().map(Value::str) {
                    let same = |r: &Rule| {
                        r.url.is_empty() && (r.group, r.resource, r.name) == (group, resource, name)
                    };
                    let at = rows.iter().position(same).unwrap_or_else(|| {
                        rows.push(Rule { group, resource, name, ..Rule::default() });
                        rows.len() - 1
                    });
                    for verb in verbs() {
                        if !rows[at].verbs.contains(&verb) {
                            rows[at].verbs.push(verb);
                        }
                    }
                }
            }
        }
        for url in rule["nonResourceURLs"].items().iter().map(Value::str) {
            rows.extend(verbs().map(|verb| Rule { verbs: vec![verb], url, ..Rule::default() }));
        }
    }
    rows.sort_by_cached_key(Rule::order);
    rows
}

/// `deployments.apps/scale`.
fn qualified(resource: &str, group: &str) -> String {
    let (name, sub) = resource.split_once('/').map_or((resource, None), |(n, s)| (n, Some(s)));
    let mut text = name.to_owned();
    if !group.is_empty() {
        let _ = write!(text, ".{group}");
    }
    if let Some(sub) = sub {
        let _ = write!(text, "/{sub}");
    }
    text
}

pub(super) fn binding(out: &mut String, obj: &Obj) {
    line(out, "Name", &obj.name());
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    annotations(out, &obj.meta()["annotations"]);
    let role = &obj.value["roleRef"];
    let _ =
        writeln!(out, "Role:\n  Kind:\t{}\n  Name:\t{}", role["kind"].str(), role["name"].str());
    out.push_str("Subjects:\n  Kind\tName\tNamespace\n  ----\t----\t---------\n");
    for s in obj.value["subjects"].items() {
        let _ =
            writeln!(out, "  {}\t{}\t{}", s["kind"].str(), s["name"].str(), s["namespace"].str());
    }
}

/// `nginx:80 (10.244.1.2:80)`.
fn backend(w: &World, ns: &str, backend: &Value) -> String {
    let service = &backend["service"];
    let (name, port) = (service["name"].str(), &service["port"]);
    let shown = match port["number"].as_int() {
        Some(n) => format!("{name}:{n}"),
        None => format!("{name}:{}", port["name"].str()),
    };
    let Some(obj) = w.store.get(Kind::Service, ns, name) else {
        let why = crate::apiserver::error::Status::not_found(Kind::Service, name);
        return format!("{shown} (<error: {}>)", why.message);
    };
    let same = |p: &&Value| {
        p["port"] == port["number"] || p["name"] == port["name"] && !p["name"].is_null()
    };
    let found = obj.spec()["ports"].items().iter().find(same);
    let addresses = network::endpoints(w, obj, found.map_or("", |p| p["name"].str()));
    format!("{shown} ({addresses})")
}

pub(super) fn ingress(w: &World, out: &mut String, obj: &Obj) {
    let (spec, ns) = (obj.spec(), obj.ns());
    line(out, "Name", &obj.name());
    shown_labels(out, "Labels", &obj.meta()["labels"]);
    line(out, "Namespace", &ns);
    let at: Vec<&str> = obj.status()["loadBalancer"]["ingress"]
        .items()
        .iter()
        .map(|i| i["ip"].as_str().unwrap_or(i["hostname"].str()))
        .collect();
    line(out, "Address", &at.join(","));
    line(out, "Ingress Class", spec["ingressClassName"].as_str().unwrap_or("<none>"));
    let default = if spec["defaultBackend"].is_null() {
        "<default>".to_owned()
    } else {
        backend(w, &ns, &spec["defaultBackend"])
    };
    line(out, "Default backend", &default);
    if !spec["tls"].is_empty() {
        out.push_str("TLS:\n");
    }
    for t in spec["tls"].items() {
        let hosts = joined(&t["hosts"]).replace(' ', ",");
        let _ = match t["secretName"].str() {
            "" => writeln!(out, "  SNI routes {hosts}"),
            secret => writeln!(out, "  {secret} terminates {hosts}"),
        };
    }
    out.push_str("Rules:\n  Host\tPath\tBackends\n  ----\t----\t--------\n");
    let mut any = false;
    for r in spec["rules"].items().iter().filter(|r| !r["http"].is_null()) {
        any = true;
        let _ =
            writeln!(out, "  {}\t", r["host"].as_str().filter(|h| !h.is_empty()).unwrap_or("*"));
        for p in r["http"]["paths"].items() {
            let _ = writeln!(out, "    \t{} \t{}", p["path"].str(), backend(w, &ns, &p["backend"]));
        }
    }
    if !any {
        let _ = writeln!(out, "  *\t*\t{default}");
    }
    annotations(out, &obj.meta()["annotations"]);
}
