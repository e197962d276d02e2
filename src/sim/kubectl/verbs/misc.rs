//! Small commands: version, cluster-info.

use crate::kubectl::args::Args;
use crate::kubectl::io::{Io, Run};
use crate::world::World;

/// `kubectl version`.
pub fn version(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    io.line("Client Version: v1.36.4\nKustomize Version: v5.8.1");
    if !args.on("client") {
        io.line("Server Version: v1.36.4");
    }
    Run::Done(0)
}

/// `kubectl cluster-info`.
pub fn cluster_info(_w: &mut World, io: &mut Io, _args: &Args) -> Run {
    io.line("Kubernetes control plane is running at https://10.96.0.1:443\nCoreDNS is running at https://10.96.0.1:443/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy\n\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.");
    Run::Done(0)
}

/// `kubectl config …`: one context, `podium`, whose namespace can be set.
pub fn config(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let words: Vec<&str> = args.pos.iter().map(String::as_str).collect();
    let ns = w.terminals.namespace.clone();
    match words.as_slice() {
        ["view"] => {
            let show = |what: &str| what.to_owned();
            if let Some(o) = args.get("output").filter(|o| o.starts_with("jsonpath")) {
                if o.contains("namespace") {
                    io.print(&ns);
                    return Run::Done(0);
                }
                io.err(format!("error: not simulated: -o {o} of this command"));
                return Run::Done(1);
            }
            let mut t = show(
                "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: DATA+OMITTED\n    server: https://10.96.0.1:443\n  name: podium\ncontexts:\n- context:\n    cluster: podium\n",
            );
            if ns != "default" {
                t.push_str(&format!("    namespace: {ns}\n"));
            }
            t.push_str("    user: learner\n  name: podium\ncurrent-context: podium\nkind: Config\nusers:\n- name: learner\n  user:\n    client-certificate-data: DATA+OMITTED\n    client-key-data: DATA+OMITTED\n");
            io.print(t);
        }
        ["current-context"] => io.line("podium"),
        ["get-contexts"] => {
            let shown = if ns == "default" { "" } else { ns.as_str() };
            io.line("CURRENT   NAME     CLUSTER   AUTHINFO   NAMESPACE");
            io.line(format!("*         podium   podium    learner    {shown}"));
        }
        ["use-context", "podium"] => io.line("Switched to context \"podium\"."),
        ["use-context", other] => {
            io.err(format!("error: no context exists with the name: {other:?}"));
            return Run::Done(1);
        }
        ["set-context", rest @ ..] => {
            let current = args.on("current");
            match (current, rest) {
                (true, []) | (false, ["podium"]) => {
                    if let Some(ns) = args.given_ns() {
                        w.terminals.namespace = ns;
                    }
                    io.line("Context \"podium\" modified.");
                }
                (false, []) => {
                    io.err("error: you must specify a non-empty context name or --current");
                    return Run::Done(1);
                }
                _ => {
                    io.err("error: not simulated: contexts other than \"podium\"");
                    return Run::Done(1);
                }
            }
        }
        other => {
            io.err(format!("error: not simulated: kubectl config {}", other.join(" ")));
            return Run::Done(1);
        }
    }
    Run::Done(0)
}

/// `kubectl auth can-i`, `whoami`: the learner may do everything.
pub fn auth(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    match args.pos.first().map(String::as_str) {
        Some("can-i") => {
            let [_, _, what, ..] = args.pos.as_slice() else {
                io.err("error: you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.");
                return Run::Done(1);
            };
            let what = what.split('/').next().unwrap_or("");
            if what != "*" && crate::api::Kind::from_word(what).is_none() {
                io.err(format!("Warning: the server doesn't have a resource type {what:?}\n"));
            }
            if !args.on("quiet") {
                io.line("yes");
            }
            Run::Done(0)
        }
        Some("whoami") => {
            io.line("ATTRIBUTE   VALUE\nUsername    learner\nGroups      [system:masters system:authenticated]");
            Run::Done(0)
        }
        _ => {
            io.err("error: not simulated: this kubectl auth command");
            Run::Done(1)
        }
    }
}

/// `kubectl edit`: the command line has no editor.
pub fn edit(w: &mut World, io: &mut Io, args: &Args) -> Run {
    use crate::kubectl::resources::{Options, select};
    match select(w, io, args, &args.pos, Options::default()) {
        Err(f) => return Run::Done(io.fail(&f)),
        Ok(s) if !s.failures.is_empty() => return Run::Done(io.fail_all(&s.failures)),
        Ok(_) => {}
    }
    io.err("error: not simulated: an editor in the terminal; change the file and apply it, or use kubectl patch");
    Run::Done(1)
}
