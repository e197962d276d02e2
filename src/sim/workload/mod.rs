//! What containers do, told by the names of their images and by their commands.
//!
//! # Divergence from real Kubernetes
//! No program really runs. Known images (web servers, databases, shells) behave as a learner
//! would see them behave; any other image runs for ever and accepts connections on the ports
//! that its containers declare, or, as an init container, ends with success. Scripts run in the
//! shell of the terminals ([`Script`]).

mod database;
mod env;
mod image;
mod logs;
mod process;
mod programs;
mod script;
mod sql;
mod web;
mod zookeeper;

#[cfg(test)]
mod tests;

use crate::api::{Key, Obj};
use crate::value::Value;
use crate::world::World;

pub(crate) use database::members_of;
pub use database::{Output, asks, client, interactive};
pub use env::{Given, env, given};
pub use image::{Family, family, image_files, program_file};
pub use logs::{Line, Logs, log, logs};
pub use process::{
    Process, Term, answered, command, hook_time, init_process, probe_command, process,
};
pub use programs::{lacks_program, of_rpm, start_error, unsimulated};
pub use script::{MOST, Script, Serves};
pub(crate) use web::answer;
pub use web::{Request, Response, breaks, http, http_get};
pub use zookeeper::start as start_zookeeper;

/// A container that listens on a port of its pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// Name of the container.
    pub container: crate::value::Str,
    /// What it is.
    pub family: Family,
}

/// Who listens on that port of a pod; none: connection refused. The pod's node must be up,
/// which the caller's side of the network knows.
pub fn listener(w: &World, pod: &Key, port: i64) -> Option<Listener> {
    let pod = w.store.by_key(pod)?;
    let uid = pod.uid();
    let run = w.kubelet.pod(&uid)?;
    let spec = pod.spec();
    let all = spec["containers"].items().iter().chain(spec["initContainers"].items());
    for c in all {
        let name = c["name"].str();
        let running = run.index(name).is_some_and(|i| run.containers[i].running());
        if running && listens(c, port) {
            let family = family(c["image"].str());
            return Some(Listener { container: c["name"].to_str(), family });
        }
    }
    None
}

/// Does the program of this container listen on that port? Known programs listen on their
/// own ports, whatever is declared; others on what is declared.
fn listens(container: &Value, port: i64) -> bool {
    let tcp = |p: &&Value| matches!(p["protocol"].str(), "" | "TCP");
    let declared: Vec<i64> = container["ports"]
        .items()
        .iter()
        .filter(tcp)
        .map(|p| p["containerPort"].int_or(0))
        .collect();
    match family(container["image"].str()) {
        known if known != Family::Shell && process::is_client(container) => false,
        Family::Shell => process::serves(container).map_or_else(|| false, |p| p == port),
        Family::Silent => false,
        Family::Other => declared.is_empty() || declared.contains(&port),
        known => {
            let own = known.ports();
            own.contains(&port)
                || (declared.contains(&port) && !declared.iter().any(|d| own.contains(d)))
        }
    }
}

/// The number of a port that a probe or a Service names.
pub fn port_number(pod: &Obj, container: Option<&Value>, port: &Value) -> Option<i64> {
    if let Some(n) = port.as_int() {
        return Some(n);
    }
    let name = port.str();
    let all = pod.spec()["containers"].items();
    let own = container.into_iter().chain(all);
    let mut ports = own.flat_map(|c| c["ports"].items());
    ports
        .find(|p| p["name"].str() == name)
        .and_then(|p| p["containerPort"].as_int())
        .or_else(|| name.parse().ok())
}
