//! What containers print.

use std::rc::Rc;

use crate::api::Key;
use crate::api::time::SECOND;
use crate::value::Str;
use crate::world::World;

use super::{Family, family};

/// A line of a container's output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// When, microseconds.
    pub at: u64,
    /// The text, without its line end.
    pub text: Str,
}

/// The output of all containers, by pod uid, container and life.
pub type Logs = crate::collections::BTreeMap<(Str, Str, u64), Rc<Vec<Line>>>;

/// Most lines that are kept of one life of a container.
const KEPT: usize = 1000;

/// A container prints a line.
pub fn log(w: &mut World, pod: &Key, container: &str, text: impl Into<Str>) {
    let Some(uid) = w.store.by_key(pod).map(|p| p.uid()) else { return };
    let Some(run) = w.kubelet.pod(&uid) else { return };
    let Some(c) = run.index(container).and_then(|i| run.containers.get(i)) else { return };
    let id = (uid.clone(), c.name.clone(), c.life);
    let line = Line { at: w.now, text: text.into() };
    let lines = Rc::make_mut(w.kubelet.logs.entry(id).or_default());
    if lines.len() >= KEPT {
        lines.remove(0);
    }
    lines.push(line);
}

/// What a container has printed, oldest first; with `previous`, in its life before this one.
/// `None`: there is no such container, or that life never was.
pub fn logs(w: &World, pod: &Key, container: &str, previous: bool) -> Option<Vec<Line>> {
    let pod = w.store.by_key(pod)?;
    let uid = pod.uid();
    let run = w.kubelet.pod(&uid)?;
    let i = run.index(container)?;
    let c = &run.containers[i];
    let life = if previous { c.life.checked_sub(1).filter(|l| *l > 0)? } else { c.life };
    if life == 0 {
        return None;
    }
    let started = match &c.phase {
        crate::kubelet::run::Phase::Running(since) if !previous => *since,
        _ => {
            let exit = if previous { c.last.as_ref() } else { c.exit().or(c.last.as_ref()) };
            exit.and_then(|e| e.started).unwrap_or(run.since)
        }
    };
    let spec = run.spec(&pod.value, i);
    let mut lines = greeting(spec["image"].str(), started);
    let key = (uid, c.name.clone(), life);
    lines.extend(w.kubelet.logs.get(&key).into_iter().flat_map(|l| l.iter().cloned()));
    Some(lines)
}

/// What a program prints when it starts.
fn greeting(image: &str, at: u64) -> Vec<Line> {
    if image.contains("crash") {
        return vec![Line { at, text: "fatal: cannot go on".into() }];
    }
    let say = |text: String| Line { at, text: text.into() };
    let stamp = crate::api::time::rfc3339(at / SECOND * SECOND);
    match family(image) {
        Family::Nginx if crate::kubelet::images::base(image) == "nginx" => {
            vec![say(format!("{} [notice] 1#1: start worker processes", slashes(&stamp)))]
        }
        Family::Mysql => vec![say(format!(
            "{}.000000Z 0 [System] [MY-010931] [Server] mysqld: ready for connections. port: 3306",
            stamp.trim_end_matches('Z')
        ))],
        Family::Redis => vec![say("1:M * Ready to accept connections tcp".to_owned())],
        _ => Vec::new(),
    }
}

/// `2026/01/05 09:00:03` from an RFC 3339 time.
fn slashes(stamp: &str) -> String {
    stamp.trim_end_matches('Z').replace('-', "/").replace('T', " ")
}
