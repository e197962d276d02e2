//! Files as containers see them: mounts over the image's own files.
//!
//! Contents belong to the volume: a disk keeps its files when its pod goes, an `emptyDir`
//! lives as long as the pod, what is written elsewhere as long as the container.

use crate::collections::BTreeMap;
use std::rc::Rc;

use super::mounts::{self, Volume};
use crate::api::{Key, Obj};
use crate::value::{Str, Value, text};
use crate::world::World;

/// Files and directories of one disk, by path without a leading slash.
pub type Tree = BTreeMap<Str, Node>;

/// One entry of a disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// A file and what is in it.
    File(Str),
    /// A directory.
    Dir,
    /// Removed here, though the image has it.
    Gone,
}

/// Why a file operation failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FsError {
    /// No such pod or container.
    NoContainer,
    /// `ENOENT`.
    NotFound,
    /// `ENOTDIR`.
    NotDir,
    /// `EISDIR`.
    IsDir,
    /// `EROFS`.
    ReadOnly,
    /// `EEXIST`.
    Exists,
    /// `ENOTEMPTY`.
    NotEmpty,
    /// `EBUSY`: a mount point.
    Busy,
}

impl FsError {
    /// As the C library says it.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoContainer => "container not found",
            Self::NotFound => "No such file or directory",
            Self::NotDir => "Not a directory",
            Self::IsDir => "Is a directory",
            Self::ReadOnly => "Read-only file system",
            Self::Exists => "File exists",
            Self::NotEmpty => "Directory not empty",
            Self::Busy => "Device or resource busy",
        }
    }
}

impl std::fmt::Display for FsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

/// An entry of a directory.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Is it a directory?
    pub dir: bool,
    /// Size in bytes; 4096 for a directory.
    pub size: usize,
}

/// A path after mounts were taken into account.
struct Place {
    /// Where it lies.
    volume: Volume,
    /// Path on that volume, without a leading slash.
    path: String,
    /// May it not be written?
    read_only: bool,
}

/// Components of an absolute path, `.` and `..` resolved; a relative one starts at `/`.
pub fn components(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            p => parts.push(p),
        }
    }
    parts
}

fn container<'a>(pod: &'a Obj, name: &str) -> Result<&'a Value, FsError> {
    let spec = pod.spec();
    let all = spec["containers"].items().iter().chain(spec["initContainers"].items());
    if name.is_empty() {
        return spec["containers"].items().first().ok_or(FsError::NoContainer);
    }
    let mut all = all;
    all.find(|c| c["name"].str() == name).ok_or(FsError::NoContainer)
}

fn pod<'a>(w: &'a World, key: &Key) -> Result<&'a Obj, FsError> {
    w.store.by_key(key).ok_or(FsError::NoContainer)
}

fn resolve(w: &World, key: &Key, name: &str, path: &str) -> Result<Place, FsError> {
    let pod = pod(w, key)?;
    let spec = container(pod, name)?;
    let parts = components(path);
    let mut best: Option<(&Value, Vec<&str>)> = None;
    for mount in spec["volumeMounts"].items() {
        let at = components(mount["mountPath"].str());
        if parts.starts_with(&at) && best.as_ref().is_none_or(|(_, b)| b.len() < at.len()) {
            best = Some((mount, at));
        }
    }
    let Some((mount, at)) = best else {
        let volume = mounts::root(w, pod, spec);
        // devices, and the file for the last message, are mounts of their own
        let read_only = spec["securityContext"]["readOnlyRootFilesystem"].is_true()
            && parts.first() != Some(&"dev")
            && parts != components(spec["terminationMessagePath"].str());
        return Ok(Place { volume, path: parts.join("/"), read_only });
    };
    let volume = mounts::volume(w, pod, mount["name"].str()).ok_or(FsError::NotFound)?;
    let mut inner = components(mounts::sub_path(w, pod, spec, mount).as_str()).join("/");
    for part in &parts[at.len()..] {
        if !inner.is_empty() {
            inner.push('/');
        }
        inner.push_str(part);
    }
    let read_only = mount["readOnly"].is_true() || matches!(volume, Volume::Given(_));
    Ok(Place { volume, path: inner, read_only })
}

/// What is at that place.
fn look(w: &World, place: &Place) -> Option<Node> {
    match &place.volume {
        Volume::Given(files) => look_in(files, &place.path),
        Volume::Disk(id) => w.storage.disks.get(id).map_or_else(
            || place.path.is_empty().then_some(Node::Dir),
            |t| look_in(t, &place.path),
        ),
        Volume::Over(id, image) => {
            let own = w.storage.disks.get(id).and_then(|t| look_in(t, &place.path));
            own.or_else(|| look_in(image, &place.path))
        }
    }
    .filter(|n| *n != Node::Gone)
}

fn look_in(tree: &Tree, path: &str) -> Option<Node> {
    if path.is_empty() {
        return Some(Node::Dir);
    }
    if let Some(node) = tree.get(path) {
        return Some(node.clone());
    }
    // a file makes the directories above it
    let below = format!("{path}/");
    let some = children_range(tree, &below).any(|(_, n)| *n != Node::Gone);
    some.then_some(Node::Dir)
}

fn children_range<'a>(
    tree: &'a Tree,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a Str, &'a Node)> {
    tree.range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded))
        .take_while(move |(k, _)| k.starts_with(prefix))
}

/// Reads a file.
///
/// # Errors
/// As `open(2)` and `read(2)`.
pub fn read(w: &World, pod: &Key, container: &str, path: &str) -> Result<Str, FsError> {
    let place = resolve(w, pod, container, path)?;
    match look(w, &place) {
        Some(Node::File(content)) => Ok(content),
        Some(_) => Err(FsError::IsDir),
        None if is_mount_parent(w, pod, container, path) => Err(FsError::IsDir),
        None => Err(FsError::NotFound),
    }
}

/// Is there a directory at that path?
pub fn is_dir(w: &World, pod: &Key, container: &str, path: &str) -> bool {
    let found = resolve(w, pod, container, path).ok().and_then(|place| look(w, &place));
    matches!(found, Some(Node::Dir)) || is_mount_parent(w, pod, container, path)
}

/// Is there anything at that path?
pub fn exists(w: &World, pod: &Key, container: &str, path: &str) -> bool {
    read(w, pod, container, path).is_ok() || is_dir(w, pod, container, path)
}

/// A directory that is there because something is mounted in it or below.
fn is_mount_parent(w: &World, key: &Key, name: &str, path: &str) -> bool {
    let parts = components(path);
    pod(w, key).ok().and_then(|p| container(p, name).ok()).is_some_and(|c| {
        let mut mounts = c["volumeMounts"].items().iter();
        mounts.any(|m| {
            let at = components(m["mountPath"].str());
            at.len() > parts.len() && at.starts_with(&parts)
        })
    })
}

/// Writes a file, making it if it is not there.
///
/// # Errors
/// As `open(2)` with `O_CREAT`.
pub fn write(
    w: &mut World,
    pod: &Key,
    container: &str,
    path: &str,
    content: &str,
) -> Result<(), FsError> {
    put(w, pod, container, path, content, false)
}

/// Adds to the end of a file, making it if it is not there.
///
/// # Errors
/// As `open(2)` with `O_CREAT | O_APPEND`.
pub fn append(
    w: &mut World,
    pod: &Key,
    container: &str,
    path: &str,
    content: &str,
) -> Result<(), FsError> {
    put(w, pod, container, path, content, true)
}

fn put(
    w: &mut World,
    pod: &Key,
    container: &str,
    path: &str,
    content: &str,
    append: bool,
) -> Result<(), FsError> {
    // the kernel's sinks
    if matches!(path, "/dev/null" | "/dev/stdout" | "/dev/stderr") {
        return Ok(());
    }
    let place = resolve(w, pod, container, path)?;
    let before = match look(w, &place) {
        Some(Node::Dir) => return Err(FsError::IsDir),
        Some(Node::File(old)) if append => old,
        _ => Str::default(),
    };
    let parts = components(path);
    let parent = format!("/{}", parts[..parts.len().saturating_sub(1)].join("/"));
    if !is_dir(w, pod, container, &parent) {
        let file = read(w, pod, container, &parent).is_ok();
        return Err(if file { FsError::NotDir } else { FsError::NotFound });
    }
    let content =
        if before.is_empty() { text(content) } else { format!("{before}{content}").into() };
    store(w, &place, Node::File(content))?;
    crate::kubelet::poke(w, pod);
    Ok(())
}

fn store(w: &mut World, place: &Place, node: Node) -> Result<(), FsError> {
    if place.read_only {
        return Err(FsError::ReadOnly);
    }
    let id = match &place.volume {
        Volume::Disk(id) | Volume::Over(id, _) => id.clone(),
        Volume::Given(_) => return Err(FsError::ReadOnly),
    };
    w.storage.writes += 1;
    let tree = Rc::make_mut(w.storage.disks.entry(id).or_default());
    if node == Node::Gone && matches!(place.volume, Volume::Disk(_)) {
        tree.remove(place.path.as_str());
    } else {
        tree.insert(text(&place.path), node);
    }
    Ok(())
}

/// Makes a directory; with `parents`, those above it too, and it is no error if it is there.
///
/// # Errors
/// As `mkdir(2)`.
pub fn mkdir(
    w: &mut World,
    pod: &Key,
    container: &str,
    path: &str,
    parents: bool,
) -> Result<(), FsError> {
    let parts = components(path);
    if exists(w, pod, container, path) {
        return if parents && is_dir(w, pod, container, path) {
            Ok(())
        } else {
            Err(FsError::Exists)
        };
    }
    let parent = format!("/{}", parts[..parts.len().saturating_sub(1)].join("/"));
    if !is_dir(w, pod, container, &parent) {
        if !parents {
            return Err(FsError::NotFound);
        }
        mkdir(w, pod, container, &parent, true)?;
    }
    let place = resolve(w, pod, container, path)?;
    store(w, &place, Node::Dir)
}

/// Removes a file, or with `recursive` a directory and all in it.
///
/// # Errors
/// As `unlink(2)`; mount points are busy.
pub fn remove(
    w: &mut World,
    pod: &Key,
    container: &str,
    path: &str,
    recursive: bool,
) -> Result<(), FsError> {
    let place = resolve(w, pod, container, path)?;
    let dir = match look(w, &place) {
        Some(Node::File(_)) => false,
        Some(_) if !recursive => return Err(FsError::IsDir),
        Some(_) => true,
        None => return Err(FsError::NotFound),
    };
    if dir {
        for entry in list(w, pod, container, path)? {
            remove(w, pod, container, &format!("{path}/{}", entry.name), true)?;
        }
        if place.path.is_empty() || is_mount_parent(w, pod, container, path) {
            return Err(FsError::Busy);
        }
    }
    // the directory itself stays when the last file of it goes
    if let Some((above, _)) = place.path.rsplit_once('/') {
        let parent = Place { path: above.to_owned(), ..resolve(w, pod, container, path)? };
        if !place.read_only && look(w, &parent) == Some(Node::Dir) {
            store(w, &parent, Node::Dir)?;
        }
    }
    store(w, &place, Node::Gone)?;
    crate::kubelet::poke(w, pod);
    Ok(())
}

/// What a directory holds, sorted by name.
///
/// # Errors
/// As `opendir(3)`.
pub fn list(w: &World, key: &Key, name: &str, path: &str) -> Result<Vec<Entry>, FsError> {
    let place = resolve(w, key, name, path)?;
    match look(w, &place) {
        Some(Node::File(_)) => return Err(FsError::NotDir),
        None if !is_mount_parent(w, key, name, path) => return Err(FsError::NotFound),
        _ => {}
    }
    let mut found: BTreeMap<String, Node> = BTreeMap::new();
    let prefix = if place.path.is_empty() { String::new() } else { format!("{}/", place.path) };
    let mut add = |tree: &Tree| {
        for (k, node) in children_range(tree, &prefix) {
            let rest = &k[prefix.len()..];
            match rest.split_once('/') {
                Some((first, _)) if *node != Node::Gone => {
                    found.insert(first.to_owned(), Node::Dir);
                }
                Some(_) => {}
                None => {
                    found.insert(rest.to_owned(), node.clone());
                }
            }
        }
    };
    match &place.volume {
        Volume::Given(files) => add(files),
        Volume::Disk(id) => {
            if let Some(tree) = w.storage.disks.get(id) {
                add(tree);
            }
        }
        Volume::Over(id, image) => {
            add(image);
            if let Some(tree) = w.storage.disks.get(id) {
                add(tree);
            }
        }
    }
    let pod = pod(w, key)?;
    let parts = components(path);
    for mount in container(pod, name)?["volumeMounts"].items() {
        let at = components(mount["mountPath"].str());
        if at.len() > parts.len() && at.starts_with(&parts) {
            let full = format!("/{}", at[..=parts.len()].join("/"));
            let file = at.len() == parts.len() + 1 && read(w, key, name, &full).is_ok();
            let node = if file { Node::File(read(w, key, name, &full)?) } else { Node::Dir };
            found.insert(at[parts.len()].to_owned(), node);
        }
    }
    Ok(found
        .into_iter()
        .filter_map(|(name, node)| match node {
            Node::File(content) => Some(Entry { name, dir: false, size: content.len() }),
            Node::Dir => Some(Entry { name, dir: true, size: 4096 }),
            Node::Gone => None,
        })
        .collect())
}
