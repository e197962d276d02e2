//! `kubectl cp`: files between the folder of the terminal and containers.
//!
//! # Divergence from real Kubernetes
//! No tar runs in the container; its words are printed where it would say them.

use crate::api::{Key, Kind};
use crate::kubectl::args::Args;
use crate::kubectl::files;
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::verbs::change::ended;
use crate::kubectl::verbs::exec::container;
use crate::storage::fs;
use crate::value::{Str, text};
use crate::world::World;

/// `[namespace/]pod:/path` or a path of the terminal's folder.
struct Place<'a> {
    pod: Option<(&'a str, &'a str)>,
    path: &'a str,
}

fn place(spec: &str) -> Res<Place<'_>> {
    let Some((pod, path)) = spec.split_once(':') else {
        return Ok(Place { pod: None, path: spec });
    };
    if pod.is_empty() {
        return Err(Failure::new(
            "filespec must match the canonical format: [[namespace/]pod:]file/path",
        ));
    }
    Ok(Place { pod: Some(pod.split_once('/').unwrap_or(("", pod))), path })
}

/// `kubectl cp`.
pub fn cp(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = copy(w, io, args);
    ended(io, result)
}

fn copy(w: &mut World, io: &mut Io, args: &Args) -> Res<i32> {
    let [from, to] = args.pos.as_slice() else {
        return Err(Failure::new("source and destination are required"));
    };
    let (from, to) = (place(from)?, place(to)?);
    if from.path.is_empty() || to.path.is_empty() {
        return Err(Failure::new("filepath can not be empty"));
    }
    match (from.pod, to.pod) {
        (Some(_), Some(_)) => {
            Err(Failure::new("one of src or dest must be a local file specification"))
        }
        (None, None) => Err(Failure::new("one of src or dest must be a remote file specification")),
        (Some(pod), None) => fetch(w, io, args, pod, from.path, to.path),
        (None, Some(pod)) => bring(w, io, args, pod, from.path, to.path),
    }
}

/// The pod and the container that are meant.
fn inside(w: &World, io: &mut Io, args: &Args, pod: (&str, &str)) -> Res<(Key, Str)> {
    let ns = if pod.0.is_empty() { args.ns(w) } else { text(pod.0) };
    let Some(obj) = w.store.get(Kind::Pod, &ns, pod.1).cloned() else {
        return Err(crate::apiserver::error::Status::not_found(Kind::Pod, pod.1).into());
    };
    let name = container(io, args, &obj)?;
    if crate::kubectl::verbs::logs::status(&obj, &name)["state"]["running"].is_null() {
        return Err(Failure::new(format!(
            "Internal error occurred: unable to upgrade connection: container not found ({:?})",
            name.as_str()
        )));
    }
    Ok((obj.key(), name))
}

fn last(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// Out of a container.
fn fetch(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    pod: (&str, &str),
    from: &str,
    to: &str,
) -> Res<i32> {
    let (key, name) = inside(w, io, args, pod)?;
    if from.starts_with('/') {
        io.err("tar: Removing leading `/' from member names");
    }
    let mut found: Vec<(String, Str)> = Vec::new();
    let mut open = vec![(from.to_owned(), String::new())];
    while let Some((path, below)) = open.pop() {
        if let Ok(content) = fs::read(w, &key, &name, &path) {
            found.push((below, content));
        } else if let Ok(entries) = fs::list(w, &key, &name, &path) {
            for e in entries {
                open.push((format!("{path}/{}", e.name), format!("{below}/{}", e.name)));
            }
        } else {
            io.err(format!("tar: {path}: Cannot stat: No such file or directory\ntar: Exiting with failure status due to previous errors"));
            return Err(Failure::new("command terminated with exit code 2"));
        }
    }
    let to = to.strip_prefix("./").unwrap_or(to);
    let to = if matches!(to, "." | "") { last(from) } else { to.trim_end_matches('/') };
    for (below, content) in found {
        w.put_file(&format!("{to}{below}"), &content);
    }
    Ok(0)
}

/// Into a container.
fn bring(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    pod: (&str, &str),
    from: &str,
    to: &str,
) -> Res<i32> {
    let folder = format!("{}/", from.strip_prefix("./").unwrap_or(from).trim_end_matches('/'));
    let mut found: Vec<(String, Str)> = Vec::new();
    if let Some(content) = files::read(w, io, from) {
        found.push((String::new(), content.clone()));
    } else {
        let below = w.terminals.files.iter().filter_map(|(name, content)| {
            Some((format!("/{}", name.strip_prefix(folder.as_str())?), content.clone()))
        });
        found.extend(below);
    }
    if found.is_empty() {
        return Err(Failure::new(format!("{from} doesn't exist in local filesystem")));
    }
    let (key, name) = inside(w, io, args, pod)?;
    let mut to = to.trim_end_matches('/').to_owned();
    if to.is_empty() || fs::is_dir(w, &key, &name, &to) {
        to = format!("{to}/{}", last(from));
    }
    for (below, content) in found {
        let path = format!("{to}{below}");
        if let Some((parent, _)) = path.rsplit_once('/').filter(|(p, _)| !p.is_empty()) {
            // what is wrong with the folder shows when the file is written
            let _ = fs::mkdir(w, &key, &name, parent, true);
        }
        if let Err(why) = fs::write(w, &key, &name, &path, &content) {
            io.err(format!("tar: {path}: Cannot open: {}\ntar: Exiting with failure status due to previous errors", why.text()));
            return Err(Failure::new("command terminated with exit code 2"));
        }
    }
    Ok(0)
}
