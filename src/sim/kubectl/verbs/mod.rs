//! kubectl's commands: one row each.

mod get;
mod misc;

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

/// All commands that are simulated.
const VERBS: &[Verb] = &[
    verb("get", get::FLAGS, get::get),
    verb("version", "client o,output=s", misc::version),
    verb("cluster-info", "", misc::cluster_info),
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
