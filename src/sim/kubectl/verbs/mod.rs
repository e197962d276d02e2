//! kubectl's commands: one row each.

mod apply;
mod change;
mod checks;
pub mod common;
mod config;
mod cp;
mod data;
mod delete;
mod describe;
mod direct;
mod drain;
mod edit;
mod events;
mod exec;
mod explain;
mod generate;
mod get;
mod help;
pub mod last_applied;
pub mod logs;
mod misc;
mod objects;
mod read;
mod rollout;
mod scale;
mod set;
mod taint;
pub(crate) mod template;
mod wait;

use crate::kubectl::args::{self, ANY, Args};
use crate::kubectl::io::{Failure, Io, Run};
use crate::kubectl::output::Output;
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

/// Flags of the commands that steer a rollout.
const ROLLOUT: &str = "f,filename=l R,recursive k,kustomize=s l,selector=s o,output=s template=s show-managed-fields allow-missing-template-keys field-manager=s";

/// All commands that are simulated. Flags that begin with `+` go with the common ones.
#[rustfmt::skip]
pub const VERBS: &[Verb] = &[
    verb("describe", describe::FLAGS, describe::describe),
    verb("api-resources", "api-group=s namespaced=?true o,output=s no-headers sort-by=s verbs=l cached", read::api_resources),
    verb("events", events::FLAGS, events::events),
    verb("cp", "c,container=s no-preserve retries=i", cp::cp),
    verb("explain", "recursive api-version=s output=s", explain::explain),
    verb("diff", "f,filename=l R,recursive k,kustomize=s server-side field-manager=s", read::diff),
    verb("top pod", "A,all-namespaces containers l,selector=s field-selector=s no-headers sort-by=s sum use-protocol-buffers show-swap", read::top),
    verb("top node", "l,selector=s no-headers sort-by=s show-capacity show-swap use-protocol-buffers", read::top),
    verb("get", get::FLAGS, get::get),
    verb("version", "client o,output=s", misc::version),
    verb("cluster-info", "", misc::cluster_info),
    verb("options", "", misc::options),
    verb("api-versions", "", misc::api_versions),
    verb("plugin list", "name-only", misc::plugins),
    verb("config view", "flatten merge=?true minify raw o,output=s template=s show-managed-fields allow-missing-template-keys", config::view),
    verb("config current-context", "", config::current_context),
    verb("config get-contexts", "no-headers o,output=s", config::get_contexts),
    verb("config get-clusters", "", config::get_clusters),
    verb("config get-users", "", config::get_users),
    verb("config use-context", "", config::use_context),
    verb("config set-context", "current", config::set_context),
    verb("auth can-i", "q,quiet A,all-namespaces list subresource=s no-headers", misc::can_i),
    verb("auth whoami", "o,output=s template=s", misc::whoami),
    verb("edit", "+save-config subresource=s windows-line-endings validate=?true", edit::edit),
    verb("apply", "+record server-side force-conflicts force grace-period=i timeout=d cascade=?background wait overwrite prune all validate=?strict openapi-patch=?true prune-allowlist=l subresource=s applyset=s save-config", apply::apply),
    verb("apply view-last-applied", "f,filename=l R,recursive k,kustomize=s o,output=s l,selector=s all", last_applied::view),
    verb("apply edit-last-applied", "+windows-line-endings", edit::applied),
    verb("cluster-info dump", ANY, not_simulated),
    verb("create token", ANY, not_simulated),
    verb("apply set-last-applied", "f,filename=l o,output=s create-annotation dry-run=?unchanged template=s", last_applied::set),
    verb("create", "+record save-config validate=?strict edit raw=s windows-line-endings", apply::create),
    verb("create namespace", "+save-config validate=?strict", generate::namespace),
    verb("create serviceaccount", "+save-config validate=?strict", generate::service_account),
    verb("create deployment", "+image=l port=i r,replicas=i save-config validate=?strict", generate::deployment),
    verb("create service clusterip", "+tcp=l clusterip=s save-config validate=?strict", generate::service),
    verb("create service nodeport", "+tcp=l node-port=i save-config validate=?strict", generate::service),
    verb("create service loadbalancer", "+tcp=l save-config validate=?strict", generate::service),
    verb("create service externalname", "+tcp=l external-name=s save-config validate=?strict", generate::service),
    verb("create configmap", "+from-literal=l from-file=l from-env-file=l append-hash save-config validate=?strict", data::config_map),
    verb("create secret generic", "+from-literal=l from-file=l from-env-file=l type=s append-hash save-config validate=?strict", data::secret),
    verb("create secret tls", "+cert=s key=s append-hash save-config validate=?strict", data::other_secret),
    verb("create secret docker-registry", "+docker-username=s docker-password=s docker-email=s docker-server=s from-file=l append-hash save-config validate=?strict", data::other_secret),
    verb("create poddisruptionbudget", "+min-available=s max-unavailable=s save-config validate=?strict", generate::budget),
    verb("create quota", "+hard=s scopes=s save-config validate=?strict", generate::quota),
    verb("create priorityclass", "+value=i global-default description=s preemption-policy=s save-config validate=?strict", objects::priority_class),
    verb("create job", "+image=s from=s save-config validate=?strict", objects::job),
    verb("create cronjob", "+image=s schedule=s restart=s save-config validate=?strict", objects::cron_job),
    verb("create role", "+verb=l resource=l resource-name=l save-config validate=?strict", objects::role),
    verb("create clusterrole", "+verb=l resource=l resource-name=l non-resource-url=l aggregation-rule=s save-config validate=?strict", objects::role),
    verb("create rolebinding", "+clusterrole=s role=s user=l group=l serviceaccount=l save-config validate=?strict", objects::binding),
    verb("create clusterrolebinding", "+clusterrole=s user=l group=l serviceaccount=l save-config validate=?strict", objects::binding),
    verb("create ingress", "+rule=l class=s default-backend=s annotation=l save-config validate=?strict", objects::ingress),
    verb("replace", "+record force grace-period=i timeout=d cascade=?background wait save-config validate=?strict subresource=s raw=s", apply::replace),
    verb("delete", "+all A,all-namespaces field-selector=s force grace-period=i now timeout=d cascade=?background wait ignore-not-found i,interactive raw=s", delete::run),
    verb("scale", "+record all replicas=i current-replicas=i resource-version=s timeout=d", scale::scale),
    verb("patch", "+record p,patch=s patch-file=s type=s subresource=s local", change::patch),
    verb("label", "+record all A,all-namespaces overwrite list field-selector=s local resource-version=s", change::label),
    verb("annotate", "+record all A,all-namespaces overwrite list field-selector=s local resource-version=s", change::annotate),
    verb("taint", "+all overwrite validate=?strict", taint::taint),
    verb("set image", "+record all local", set::image),
    verb("set env", "+record all local c,containers=s e,env=l from=s keys=l list overwrite prefix=s resolve", set::env),
    verb("set serviceaccount", "+record all local", set::service_account),
    verb("set selector", "+record all local resource-version=s", set::selector),
    verb("set resources", "+record all local c,containers=s limits=s requests=s", set::resources),
    verb("rollout status", "f,filename=l R,recursive k,kustomize=s l,selector=s w,watch timeout=d revision=i", rollout::status),
    verb("rollout history", "revision=i f,filename=l R,recursive k,kustomize=s l,selector=s o,output=s template=s show-managed-fields allow-missing-template-keys", rollout::history),
    verb("rollout undo", "+to-revision=i", rollout::undo),
    verb("rollout restart", ROLLOUT, rollout::restart),
    verb("rollout pause", ROLLOUT, rollout::pause),
    verb("rollout resume", ROLLOUT, rollout::resume),
    verb("expose", "+record port=s target-port=s name=s type=s cluster-ip=s protocol=s labels=s external-ip=s load-balancer-ip=s session-affinity=s overrides=s override-type=s save-config", generate::expose),
    verb("run", "+image=s restart=s command i,stdin t,tty rm attach q,quiet env=l port=s labels=s overrides=s override-type=s image-pull-policy=s annotations=l expose privileged pod-running-timeout=d leave-stdin-open save-config force grace-period=i timeout=d cascade=?background wait", generate::run),
    verb("exec", "c,container=s i,stdin t,tty q,quiet f,filename=l pod-running-timeout=d", exec::exec),
    verb("attach", "c,container=s i,stdin t,tty q,quiet pod-running-timeout=d", exec::attach),
    verb("wait", "+for=s timeout=d all A,all-namespaces field-selector=s local", wait::run),
    verb("autoscale", "+record min=i max=i cpu-percent=i cpu=s memory=s name=s save-config", direct::autoscale),
    verb("port-forward", "address=l pod-running-timeout=d", direct::port_forward),
    verb("cordon", "dry-run=?unchanged l,selector=s", drain::cordon),
    verb("uncordon", "dry-run=?unchanged l,selector=s", drain::uncordon),
    verb("drain", "dry-run=?unchanged l,selector=s pod-selector=s ignore-daemonsets delete-emptydir-data force disable-eviction grace-period=i timeout=d skip-wait-for-delete-timeout=i chunk-size=i", drain::drain),
    verb("logs", "f,follow p,previous c,container=s l,selector=s tail=i since=d since-time=s timestamps prefix all-containers all-pods limit-bytes=i max-log-requests=i ignore-errors pod-running-timeout=d insecure-skip-tls-verify-backend", logs::run),
];

/// Starts the command that the words name.
pub fn dispatch(w: &mut World, io: &mut Io, words: &[String]) -> Run {
    // flags may stand before and between the names of commands
    let mut flags: Vec<String> = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" {
            break;
        }
        if word.len() > 1 && word.starts_with('-') {
            flags.push(word.clone());
            at += 1;
            if args::global_takes_next(word)
                && let Some(value) = words.get(at)
            {
                flags.push(value.clone());
                at += 1;
            }
            continue;
        }
        let begun = path.join(" ");
        let longer = |known: &str| {
            known.strip_prefix(begun.as_str()).is_some_and(|rest| {
                let rest = rest.trim_start();
                let word = alias(&path, word);
                rest == word || rest.strip_prefix(word).is_some_and(|r| r.starts_with(' '))
            })
        };
        // names that only the help knows are looked for last: it comes with the second module
        let verb = VERBS.iter().any(|v| v.name == begun);
        if !VERBS.iter().any(|v| longer(v.name)) && (verb || !help::names().any(longer)) {
            break;
        }
        path.push(alias(&path, word));
        at += 1;
    }
    let rest: Vec<String> = flags.iter().chain(words.iter().skip(at)).cloned().collect();
    let asked = words.iter().take_while(|w| *w != "--").any(|w| w == "--help" || w == "-h");
    match path.as_slice() {
        [] => return root(io, &rest, asked),
        ["help"] => return help::of_words(io, words.get(at..).unwrap_or_default()),
        _ => {}
    }
    let name = path.join(" ");
    let found = VERBS.iter().find(|v| v.name == name);
    if asked {
        help::show(io, &name, found.map(|v| v.flags));
        return Run::Done(0);
    }
    let Some(verb) = found else { return no_verb(io, &name, &rest) };
    let args = match Args::parse(verb.name, verb.flags, &rest) {
        Ok(args) => args,
        Err(f) => return Run::Done(io.fail(&f)),
    };
    let checked = config::check(w, io, &args, verb.flags).and_then(|()| {
        if args.given("kustomize") {
            return Err(Failure::new("not simulated: kustomize"));
        }
        // commands that change print objects, not tables
        match Output::of(&args) {
            Ok(Output::Table(true) | Output::Columns(..)) if verb.flags.starts_with('+') => {
                Err(Output::no_printer(args.text("output"), false))
            }
            Err(f) if verb.flags.starts_with('+') => Err(f),
            _ => Ok(()),
        }
    });
    if let Err(f) = checked {
        return Run::Done(io.fail(&f));
    }
    if args.given("record") {
        io.err("Flag --record has been deprecated, --record will be removed in the future");
        io.cause = args.on("record").then(|| args.command().into());
    }
    (verb.run)(w, io, &args)
}

/// The name of a command that has several.
pub fn alias<'a>(path: &[&str], word: &'a str) -> &'a str {
    match (path, word) {
        (["create"], "ns") => "namespace",
        (["create"], "sa") => "serviceaccount",
        (["create"], "deploy" | "dep") => "deployment",
        (["create"], "svc") => "service",
        (["create"], "cm") => "configmap",
        (["create"], "pdb") => "poddisruptionbudget",
        (["create"], "resourcequota") => "quota",
        (["create"], "pc") => "priorityclass",
        (["create"], "cj") => "cronjob",
        (["create"], "ing") => "ingress",
        (["top"], "pods" | "po") => "pod",
        (["top"], "nodes" | "no") => "node",
        (["set"], "resource") => "resources",
        (["set"], "sa") => "serviceaccount",
        ([], "log") => "logs",
        (_, word) => word,
    }
}

/// `kubectl` alone, or with a word that is no command.
fn root(io: &mut Io, rest: &[String], asked: bool) -> Run {
    let name = rest.iter().find(|w| !w.starts_with('-'));
    match name {
        Some(name) if !asked => unknown(io, name),
        None if !asked && rest.iter().any(|w| w != "--") => {
            // the first flag that is none is named
            match Args::parse("", "", rest) {
                Err(f) => Run::Done(io.fail(&f)),
                Ok(_) => {
                    help::root(io);
                    Run::Done(0)
                }
            }
        }
        _ => {
            help::root(io);
            Run::Done(0)
        }
    }
}

fn say_not_simulated(io: &mut Io, name: &str) -> Run {
    io.err(format!("error: not simulated: kubectl {name}"));
    Run::Done(1)
}

/// Marks a command below one that is simulated, which is not so itself.
fn not_simulated(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    say_not_simulated(io, args.verb)
}

/// A group of commands without one of them, or a command that is not simulated.
fn no_verb(io: &mut Io, name: &str, rest: &[String]) -> Run {
    let group = help::names().any(|n| n.strip_prefix(name).is_some_and(|r| r.starts_with(' ')));
    if !group {
        return say_not_simulated(io, name);
    }
    let words: Vec<&str> =
        rest.iter().map(String::as_str).filter(|w| !w.starts_with('-')).collect();
    if words.is_empty() {
        help::show(io, name, None);
    } else {
        let words = words.join(" ");
        io.err(format!(
            "error: unknown command {words:?}\nSee 'kubectl {name} -h' for help and examples"
        ));
    }
    Run::Done(1)
}

fn unknown(io: &mut Io, name: &str) -> Run {
    let mut text = format!("error: unknown command {name:?} for \"kubectl\"");
    let lower = name.to_lowercase();
    let near: Vec<&str> = help::names()
        .filter(|n| !n.contains(' ') && *n != "help")
        .filter(|n| {
            let meant = matches!(
                (name, *n),
                ("list" | "ps", "get" | "wait") | ("rm", "delete") | ("inspect", "describe")
            );
            meant || distance(&lower, n) <= 2 || n.starts_with(&lower)
        })
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
