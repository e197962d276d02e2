//! `kubectl help`, `--help`, and the names of all commands: short texts of our own with
//! kubectl's usage lines.

use crate::kubectl::args;
use crate::kubectl::io::{Io, Run};

/// A heading begins with `#`; other lines are a command's name, what it is for, and its usage
/// after the name, separated by `|`. In the order in which kubectl suggests them.
const TEXT: &str = include_str!("help.txt");

fn lines() -> impl Iterator<Item = [&'static str; 3]> {
    TEXT.lines().filter(|l| !l.starts_with('#')).map(|l| {
        let mut parts = l.splitn(3, '|');
        [(); 3].map(|()| parts.next().unwrap_or(""))
    })
}

/// Names of all commands of kubectl 1.36, `rollout status` too.
pub fn names() -> impl Iterator<Item = &'static str> {
    lines().map(|[name, ..]| name)
}

/// `kubectl` alone.
pub fn root(io: &mut Io) {
    io.line("kubectl controls the Kubernetes cluster manager.\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/");
    for line in TEXT.lines() {
        if let Some(heading) = line.strip_prefix('#') {
            io.line(format!("\n{heading}:"));
        } else if let Some((name, rest)) = line.split_once('|')
            && !name.contains(' ')
        {
            let about = rest.split('|').next().unwrap_or("");
            io.line(format!("  {name:16}{about}"));
        }
    }
    io.line("\nUsage:\n  kubectl [flags] [options]\n\nUse \"kubectl <command> --help\" for more information about a given command.\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).");
}

/// `kubectl help WORDS`.
pub fn of_words(io: &mut Io, words: &[String]) -> Run {
    if words.is_empty() {
        root(io);
        return Run::Done(0);
    }
    let name = words.join(" ");
    if names().any(|n| n == name) {
        let verb = super::VERBS.iter().find(|v| v.name == name);
        show(io, &name, verb.map(|v| v.flags));
        return Run::Done(0);
    }
    io.err(format!("Unknown help topic [`{}`]", words.join("` `")));
    Run::Done(0)
}

/// The help of a command; `flags`: what it takes.
pub fn show(io: &mut Io, name: &str, flags: Option<&'static str>) {
    let [_, about, usage] = lines().find(|[n, ..]| *n == name).unwrap_or([""; 3]);
    io.line(format!("{about}."));
    let below: Vec<[&str; 3]> = lines()
        .filter(|[n, ..]| {
            n.strip_prefix(name).and_then(|r| r.strip_prefix(' ')).is_some_and(|r| !r.contains(' '))
        })
        .collect();
    if !below.is_empty() {
        io.line("\nAvailable Commands:");
        for [full, about, _] in below {
            let own = full.rsplit(' ').next().unwrap_or(full);
            io.line(format!("  {own:22}{about}"));
        }
    }
    if let Some(flags) = flags {
        let listed = args::listed(flags);
        if !listed.is_empty() {
            io.line("\nOptions:");
            for flag in listed {
                io.line(format!("    {flag}"));
            }
        }
    }
    let usage = if usage.is_empty() { String::new() } else { format!("{usage} ") };
    io.line(format!("\nUsage:\n  kubectl {name} {usage}[options]\n\nUse \"kubectl options\" for a list of global command-line options (applies to all commands)."));
}

/// `kubectl options`.
pub fn options(io: &mut Io) {
    io.line("The following options can be passed to any command:\n");
    for flag in args::listed_global() {
        io.line(format!("    {flag}"));
    }
}
