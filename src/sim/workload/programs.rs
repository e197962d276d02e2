//! Commands that name no program.
//!
//! # Divergence from real Kubernetes
//! What an image holds is only known of a few; there, a name that no usual program has is taken
//! for one that is not there.

use super::process::command;
use crate::api::Obj;
use crate::kubelet::images::canonical;
use crate::storage::fs;
use crate::value::Value;
use crate::world::World;

/// Names of programs that images bring.
const PROGRAMS: &str = include_str!("programs.txt");

/// Images whose programs are known, in any version.
const KNOWN: &[&str] =
    &["alpine", "busybox", "debian", "fedora", "httpd", "nginx", "redis", "ubuntu"];
/// Those among them that run their arguments as a command.
const PLAIN: &[&str] = &["alpine", "busybox", "debian", "fedora", "ubuntu"];

/// Why the container cannot be started, in the words of the runtime: its program is not there.
pub fn start_error(w: &World, pod: &Obj, container: &Value) -> Option<String> {
    let full = canonical(container["image"].str());
    let name = library(&full);
    let own = &container["command"];
    if own.is_empty() && !PLAIN.contains(&name) {
        return None;
    }
    let first = command(container).first().copied().filter(|p| !p.contains('$'))?;
    let absolute = first.starts_with('/');
    // no program has a space in its name: a whole line was written as one word
    let line = first.contains(' ') && !own.is_empty();
    let lacks = line || KNOWN.contains(&name) && lacks(w, pod, container, first);
    let why = match first {
        "" => return None,
        _ if !lacks => return None,
        _ if absolute => format!("stat {first}: no such file or directory"),
        _ => "executable file not found in $PATH".to_owned(),
    };
    Some(format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: {first:?}: {why}"
    ))
}

/// Does the image of a container lack a program? False where that is not known.
pub fn lacks_program(w: &World, pod: &Obj, container: &Value, program: &str) -> bool {
    KNOWN.contains(&library(&canonical(container["image"].str())))
        && lacks(w, pod, container, program)
}

/// The name of one of Docker's own images; empty for others.
fn library(full: &str) -> &str {
    let name = full.strip_prefix("docker.io/library/").unwrap_or("");
    name.split([':', '@']).next().unwrap_or("")
}

fn lacks(w: &World, pod: &Obj, container: &Value, program: &str) -> bool {
    let (folder, name) = program.rsplit_once('/').unwrap_or(("", program));
    if PROGRAMS.split_whitespace().any(|p| p == name) || name.contains("entrypoint") {
        return false;
    }
    if folder.is_empty() && !program.starts_with('/') {
        return true;
    }
    // what volumes hold may have been put there by programs that are not modelled
    let mounted = |m: &Value| program.starts_with(m["mountPath"].str());
    program.starts_with('/')
        && !container["volumeMounts"].items().iter().any(mounted)
        && !fs::exists(w, &pod.key(), container["name"].str(), program)
}
