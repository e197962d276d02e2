//! kubectl's commands: one row each.

mod apply;
mod change;
pub mod common;
mod delete;
mod describe;
mod drain;
mod exec;
mod generate;
mod get;
pub mod logs;
mod misc;
mod read;
mod rollout;
mod set;
pub(crate) mod template;
mod wait;

use crate::kubectl::args::Args;
use crate::kubectl::io::{Io, Run};
use crate::world::World;

/// A command of kubectl.
pub struct Verb {
    /// `get`, or `rollout status`.
    pub name: &'static str,
    /// Its own flags, see [`Args::parse`].
    pub flags: &'static str,
    /// Starts it.
    pub run: fn(&mut World, &mut Io, &Args) -> Run,
}

const fn verb(
    name: &'static str,
    flags: &'static str,
    run: fn(&mut World, &mut Io, &Args) -> Run,
) -> Verb {
    Verb { name, flags, run }
}

/// All commands that are simulated. Flags that begin with `+` go with the common ones.
#[rustfmt::skip]
const VERBS: &[Verb] = &[
    verb("describe", describe::FLAGS, describe::describe),
    verb("api-resources", "api-group=s namespaced=?true o,output=s no-headers sort-by=s verbs=l cached", read::api_resources),
    verb("events", "A,all-namespaces for=s types=l w,watch no-headers o,output=s", read::events),
    verb("explain", "recursive api-version=s output=s", read::explain),
    verb("diff", "f,filename=l R,recursive k,kustomize=s server-side field-manager=s", read::diff),
    verb("top", "A,all-namespaces containers l,selector=s no-headers sort-by=s", read::top),
    verb("get", get::FLAGS, get::get),
    verb("version", "client o,output=s", misc::version),
    verb("cluster-info", "", misc::cluster_info),
    verb("config", "current minify raw flatten o,output=s", misc::config),
    verb("auth", "q,quiet A,all-namespaces list subresource=s o,output=s", misc::auth),
    verb("edit", "+save-config subresource=s windows-line-endings validate=?true", misc::edit),
    verb("apply", "+server-side force-conflicts force grace-period=i timeout=d cascade=?background wait overwrite prune all validate=?strict openapi-patch prune-allowlist=l subresource=s", apply::apply),
    verb("create", "+save-config validate=?strict edit raw=s windows-line-endings", apply::create),
    verb("create namespace", "+save-config validate=?strict", generate::namespace),
    verb("create ns", "+save-config validate=?strict", generate::namespace),
    verb("create serviceaccount", "+save-config validate=?strict", generate::service_account),
    verb("create sa", "+save-config validate=?strict", generate::service_account),
    verb("create deployment", "+image=l port=i r,replicas=i save-config validate=?strict", generate::deployment),
    verb("create deploy", "+image=l port=i r,replicas=i save-config validate=?strict", generate::deployment),
    verb("create service", "+tcp=l clusterip=s node-port=i external-name=s save-config validate=?strict", generate::service),
    verb("create svc", "+tcp=l clusterip=s node-port=i external-name=s save-config validate=?strict", generate::service),
    verb("create configmap", "+from-literal=l from-file=l from-env-file=l append-hash save-config validate=?strict", generate::config_map),
    verb("create cm", "+from-literal=l from-file=l from-env-file=l append-hash save-config validate=?strict", generate::config_map),
    verb("create secret", "+from-literal=l from-file=l from-env-file=l type=s append-hash save-config validate=?strict", generate::secret),
    verb("create poddisruptionbudget", "+min-available=s max-unavailable=s save-config validate=?strict", generate::budget),
    verb("create pdb", "+min-available=s max-unavailable=s save-config validate=?strict", generate::budget),
    verb("create quota", "+hard=s scopes=s save-config validate=?strict", generate::quota),
    verb("create resourcequota", "+hard=s scopes=s save-config validate=?strict", generate::quota),
    verb("replace", "+force grace-period=i timeout=d cascade=?background wait save-config validate=?strict subresource=s raw=s", apply::replace),
    verb("delete", "+all A,all-namespaces field-selector=s force grace-period=i now timeout=d cascade=?background wait ignore-not-found i,interactive raw=s", delete::run),
    verb("scale", "+all replicas=i current-replicas=i resource-version=s timeout=d", change::scale),
    verb("patch", "+p,patch=s patch-file=s type=s subresource=s local", change::patch),
    verb("label", "+all A,all-namespaces overwrite list field-selector=s local resource-version=s", change::label),
    verb("annotate", "+all A,all-namespaces overwrite list field-selector=s local resource-version=s", change::annotate),
    verb("taint", "+all overwrite validate=?strict", change::taint),
    verb("set image", "+all local", set::image),
    verb("set env", "+all local c,containers=s e,env=l from=s keys=l list overwrite prefix=s resolve", set::env),
    verb("set resources", "+all local c,containers=s limits=s requests=s", set::resources),
    verb("rollout status", "+w,watch timeout=d revision=i", rollout::status),
    verb("rollout history", "+revision=i", rollout::history),
    verb("rollout undo", "+to-revision=i", rollout::undo),
    verb("rollout restart", "+", rollout::restart),
    verb("rollout pause", "+", rollout::pause),
    verb("rollout resume", "+", rollout::resume),
    verb("expose", "+port=s target-port=s name=s type=s cluster-ip=s protocol=s labels=s external-ip=s load-balancer-ip=s session-affinity=s overrides=s save-config", generate::expose),
    verb("run", "+image=s restart=s command i,stdin t,tty rm attach q,quiet env=l port=i labels=s overrides=s override-type=s image-pull-policy=s annotations=l expose privileged pod-running-timeout=d leave-stdin-open save-config force grace-period=i timeout=d cascade=?background wait", generate::run),
    verb("exec", "c,container=s i,stdin t,tty q,quiet f,filename=l pod-running-timeout=d", exec::exec),
    verb("wait", "+for=s timeout=d all A,all-namespaces field-selector=s local", wait::run),
    verb("cordon", "dry-run=?unchanged l,selector=s", drain::cordon),
    verb("uncordon", "dry-run=?unchanged l,selector=s", drain::uncordon),
    verb("drain", "dry-run=?unchanged l,selector=s pod-selector=s ignore-daemonsets delete-emptydir-data force disable-eviction grace-period=i timeout=d skip-wait-for-delete-timeout=i chunk-size=i", drain::drain),
    verb("logs", "f,follow p,previous c,container=s l,selector=s tail=i since=s since-time=s timestamps prefix all-containers all-pods limit-bytes=i max-log-requests=i ignore-errors pod-running-timeout=d insecure-skip-tls-verify-backend", logs::run),
];

/// All commands of kubectl 1.36, for suggestions and for what is not simulated.
const NAMES: &[&str] = &[
    "annotate",
    "api-resources",
    "api-versions",
    "apply",
    "attach",
    "auth",
    "autoscale",
    "certificate",
    "cluster-info",
    "completion",
    "config",
    "cordon",
    "cp",
    "create",
    "debug",
    "delete",
    "describe",
    "diff",
    "drain",
    "edit",
    "events",
    "exec",
    "explain",
    "expose",
    "get",
    "kustomize",
    "label",
    "logs",
    "options",
    "patch",
    "plugin",
    "port-forward",
    "proxy",
    "replace",
    "rollout",
    "run",
    "scale",
    "set",
    "taint",
    "top",
    "uncordon",
    "version",
    "wait",
];

/// Other names of commands.
const ALIASES: &[(&str, &str)] =
    &[("rolling-update", "rollout"), ("update", "replace"), ("resize", "scale")];

/// Starts the command that the words name.
pub fn dispatch(w: &mut World, io: &mut Io, words: &[String]) -> Run {
    // flags may stand before the command's name
    let mut at = 0;
    let mut before: Vec<String> = Vec::new();
    while let Some(word) = words.get(at) {
        if !word.starts_with('-') {
            break;
        }
        before.push(word.clone());
        let takes_next = !word.contains('=')
            && matches!(
                word.as_str(),
                "-n" | "--namespace"
                    | "--context"
                    | "--kubeconfig"
                    | "-s"
                    | "--server"
                    | "-v"
                    | "--v"
                    | "--user"
                    | "--cluster"
                    | "--request-timeout"
            );
        at += 1;
        if takes_next && let Some(value) = words.get(at) {
            before.push(value.clone());
            at += 1;
        }
    }
    let Some(name) = words.get(at) else {
        io.line("kubectl controls the Kubernetes cluster manager.\n\nCommands simulated here:");
        for v in VERBS {
            io.line(format!("  {}", v.name));
        }
        return Run::Done(0);
    };
    let mut rest = before;
    let second = words.get(at + 1).map_or("", String::as_str);
    let found = VERBS
        .iter()
        .find(|v| v.name.split_once(' ').is_some_and(|(a, b)| a == name && b == second))
        .map(|v| (v, 2))
        .or_else(|| VERBS.iter().find(|v| v.name == name).map(|v| (v, 1)));
    let Some((verb, used)) = found else { return unknown(io, name, second) };
    rest.extend(words.iter().skip(at + used).cloned());
    let args = match Args::parse(verb.name, verb.flags, &rest) {
        Ok(args) => args,
        Err(f) => return Run::Done(io.fail(&f)),
    };
    if args.on("help") {
        io.err(format!("not simulated: kubectl {} --help", verb.name));
        return Run::Done(1);
    }
    (verb.run)(w, io, &args)
}

fn unknown(io: &mut Io, name: &str, second: &str) -> Run {
    if let Some((_, now)) = ALIASES.iter().find(|(old, _)| *old == name) {
        io.err(format!(
            "error: unknown command {name:?} for \"kubectl\"\n\nDid you mean this?\n\t{now}"
        ));
        return Run::Done(1);
    }
    let group: Vec<&str> = VERBS
        .iter()
        .filter_map(|v| v.name.split_once(' '))
        .filter(|(a, _)| *a == name)
        .map(|(_, b)| b)
        .collect();
    if !group.is_empty() {
        if second.is_empty() || second.starts_with('-') {
            io.line(format!("Available Commands of kubectl {name}: {}", group.join(", ")));
            return Run::Done(0);
        }
        io.err(format!(
            "error: unknown command {second:?}\nSee 'kubectl {name} -h' for help and examples"
        ));
        return Run::Done(1);
    }
    if NAMES.contains(&name) {
        io.err(format!("error: not simulated: kubectl {name}"));
        return Run::Done(1);
    }
    let mut text = format!("error: unknown command {name:?} for \"kubectl\"");
    let lower = name.to_lowercase();
    let near: Vec<&str> = NAMES
        .iter()
        .copied()
        .filter(|n| distance(&lower, n) <= 2 || n.starts_with(&lower))
        .collect();
    if !near.is_empty() {
        text.push_str("\n\nDid you mean this?");
        for n in near {
            text.push_str("\n\t");
            text.push_str(n);
        }
    }
    io.err(text);
    Run::Done(1)
}

/// How many letters must change to make one word of another.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (j, y) in b.iter().enumerate() {
            let up = row.get(j + 1).copied().unwrap_or(0);
            let cost = (corner + usize::from(x != *y)).min(up + 1).min(left + 1);
            if let Some(slot) = row.get_mut(j) {
                *slot = left;
            }
            corner = up;
            left = cost;
        }
        if let Some(last) = row.last_mut() {
            *last = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn levenshtein() {
        assert_eq!(distance("foo", "top"), 2);
        assert_eq!(distance("gt", "get"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
