//! Small commands: version, cluster-info, auth, api-versions, plugins.

use crate::api::{Kind, kind};
use crate::bootstrap::SERVER;
use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Io, Run};
use crate::kubectl::print::Widths;
use crate::kubectl::verbs::config::USER;
use crate::manifest::print::{to_json_pretty, to_yaml};
use crate::value;
use crate::world::World;

/// The version of kubectl.
const VERSION: &str = "v1.36.4";

/// `kubectl version`.
pub fn version(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    if !args.pos.is_empty() {
        let why = format!("extra arguments: [{}]", args.pos.join(" "));
        return Run::Done(io.fail(&Failure::new(why)));
    }
    let client = args.on("client");
    let output = args.text("output");
    if output.is_empty() {
        io.line(format!("Client Version: {VERSION}\nKustomize Version: v5.8.1"));
        if !client {
            io.line(format!("Server Version: {SERVER}"));
        }
        return Run::Done(0);
    }
    let mut all = value!({"clientVersion": (build(VERSION)), "kustomizeVersion": "v5.8.1"});
    if !client {
        all.set("serverVersion", build(SERVER));
    }
    match output {
        "yaml" => io.print(to_yaml(&all)),
        "json" => io.print(to_json_pretty(&all)),
        _ => return Run::Done(io.fail(&Failure::new("--output must be 'yaml' or 'json'"))),
    }
    Run::Done(0)
}

/// How a program was built.
fn build(version: &'static str) -> crate::value::Value {
    value!({
        "compiler": "gc", "gitTreeState": "clean", "gitVersion": version, "major": "1",
        "minor": "36", "platform": "linux/amd64"
    })
}

/// The server's version as it answers itself.
pub fn version_json() -> String {
    to_json_pretty(&build(SERVER)).trim_end().replace("    ", "  ")
}

/// `kubectl cluster-info`.
pub fn cluster_info(_w: &mut World, io: &mut Io, _args: &Args) -> Run {
    io.line("Kubernetes control plane is running at https://10.96.0.1:443\nCoreDNS is running at https://10.96.0.1:443/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy\n\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.");
    Run::Done(0)
}

/// `kubectl options`.
pub fn options(_w: &mut World, io: &mut Io, _args: &Args) -> Run {
    super::help::options(io);
    Run::Done(0)
}

/// `kubectl api-versions`.
pub fn api_versions(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    if !args.pos.is_empty() {
        let why = format!("unexpected arguments: [{}]", args.pos.join(" "));
        return Run::Done(io.fail(&args.usage(&why)));
    }
    // versions that serve what another one serves as well
    let more = ["autoscaling/v1", "events.k8s.io/v1"];
    let mut all: Vec<&str> = kind::ALL.iter().map(|k| k.info().api_version).chain(more).collect();
    all.sort_unstable();
    all.dedup();
    for v in all {
        io.line(v);
    }
    Run::Done(0)
}

/// `kubectl plugin list`.
pub fn plugins(_w: &mut World, io: &mut Io, _args: &Args) -> Run {
    Run::Done(io.fail(&Failure::new("unable to find any kubectl plugins in your PATH")))
}

/// `kubectl auth can-i --list`: what an administrator may do.
fn may_all(io: &mut Io, args: &Args) {
    const REVIEWS: [&str; 3] = [
        "selfsubjectreviews.authentication.k8s.io",
        "selfsubjectaccessreviews.authorization.k8s.io",
        "selfsubjectrulesreviews.authorization.k8s.io",
    ];
    // two roles allow the last ones
    const PATHS: [&str; 15] = [
        "/api/*",
        "/api",
        "/apis/*",
        "/apis",
        "/healthz",
        "/healthz",
        "/livez",
        "/livez",
        "/openapi/*",
        "/openapi",
        "/readyz",
        "/readyz",
        "/version/",
        "/version/",
        "/version",
    ];
    let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
    let mut table = Vec::new();
    if !args.on("no-headers") {
        table.push(row(["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]));
    }
    table.push(row(["*.*", "[]", "[]", "[*]"]));
    table.push(row(["", "[*]", "[]", "[*]"]));
    table.extend(REVIEWS.map(|r| row([r, "[]", "[]", "[create]"])));
    for path in PATHS.iter().chain(&["/version"]) {
        table.push(row(["", &format!("[{path}]"), "[]", "[get]"]));
    }
    io.print(Widths::default().render(&table));
}

/// `kubectl auth can-i`: the learner may do everything.
pub fn can_i(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    const VERBS: &[&str] = &[
        "*",
        "approve",
        "attest",
        "bind",
        "create",
        "delete",
        "deletecollection",
        "escalate",
        "get",
        "head",
        "impersonate",
        "list",
        "options",
        "patch",
        "post",
        "put",
        "sign",
        "update",
        "use",
        "watch",
    ];
    if args.on("list") {
        if !args.pos.is_empty() {
            let f = Failure::new("list option must be specified with no arguments");
            return Run::Done(io.fail(&f));
        }
        may_all(io, args);
        return Run::Done(0);
    }
    let [verb, what] = args.pos.as_slice() else {
        return Run::Done(io.fail(&Failure::new(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        )));
    };
    if !VERBS.contains(&verb.as_str()) {
        io.err(format!("Warning: verb '{verb}' is not a known verb\n"));
    }
    let resource = what.split('/').next().unwrap_or("");
    if !what.starts_with('/') && what != "*" {
        match Kind::from_word(resource) {
            None => {
                io.err(format!("Warning: the server doesn't have a resource type '{resource}'\n"));
            }
            Some(k) if !k.info().namespaced && !args.on("all-namespaces") => {
                let info = k.info();
                let group = match info.group {
                    "" => String::new(),
                    g => format!(" in group '{g}'"),
                };
                io.err(format!(
                    "Warning: resource '{}' is not namespace scoped{group}\n",
                    info.plural
                ));
            }
            Some(_) => {}
        }
    }
    if !args.on("quiet") {
        io.line("yes");
    }
    Run::Done(0)
}

/// `kubectl auth whoami`.
pub fn whoami(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    let groups = ["system:masters", "system:authenticated"];
    let review = value!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
        "metadata": {},
        "status": {"userInfo": {"groups": [(groups[0]), (groups[1])], "username": USER}}
    });
    match args.text("output") {
        "yaml" => io.print(to_yaml(&review)),
        "json" => io.print(to_json_pretty(&review)),
        _ => io.line(format!(
            "ATTRIBUTE   VALUE\nUsername    {USER}\nGroups      [{}]",
            groups.join(" ")
        )),
    }
    Run::Done(0)
}
