//! Programs for files inside containers.

use super::{Inside, spec};
use crate::kubectl::io::{Io, Run};
use crate::shell::{Place, Shell};
use crate::storage::fs::{self, FsError};
use crate::world::World;

/// Starts a program for files; `None` if it is none.
pub fn program(
    sh: &mut Shell,
    w: &mut World,
    io: &mut Io,
    name: &str,
    args: &[String],
) -> Option<Run> {
    let Place::Container(inside) = &mut sh.place else { return None };
    let options: String =
        args.iter().filter(|a| a.starts_with('-')).flat_map(|a| a.chars().skip(1)).collect();
    let on = |c: char| options.contains(c);
    let files: Vec<&String> = args.iter().filter(|a| !a.starts_with('-')).collect();
    let mut code = 0;
    match name {
        "cd" => {
            let to = inside.path(files.first().map_or("/root", |f| f.as_str()));
            if to == "/root" || fs::is_dir(w, &inside.pod, &inside.container, &to) {
                inside.cwd.clone_from(&to);
                sh.vars.insert("PWD".into(), to.into());
            } else {
                let to = files.first().map_or("", |f| f.as_str());
                io.err(format!("sh: cd: can't cd to {to}: No such file or directory"));
                code = 2;
            }
        }
        "pwd" => io.line(&inside.cwd),
        "ls" => code = ls(w, io, inside, &options, &files),
        "cat" => return None,
        "touch" => {
            for f in files {
                let path = inside.path(f);
                if fs::exists(w, &inside.pod, &inside.container, &path) {
                    continue;
                }
                if let Err(e) = fs::write(w, &inside.pod, &inside.container, &path, "") {
                    io.err(format!("touch: {f}: {e}"));
                    code = 1;
                }
            }
        }
        "mkdir" => {
            for f in files {
                let path = inside.path(f);
                if let Err(e) = fs::mkdir(w, &inside.pod, &inside.container, &path, on('p')) {
                    io.err(format!("mkdir: can't create directory '{f}': {e}"));
                    code = 1;
                }
            }
        }
        "rm" | "rmdir" => {
            let recursive = on('r') || on('R') || name == "rmdir";
            for f in expand(w, inside, &files) {
                let path = inside.path(&f);
                if name == "rmdir"
                    && fs::list(w, &inside.pod, &inside.container, &path)
                        .is_ok_and(|l| !l.is_empty())
                {
                    io.err(format!("rmdir: '{f}': {}", FsError::NotEmpty));
                    code = 1;
                    continue;
                }
                match fs::remove(w, &inside.pod, &inside.container, &path, recursive) {
                    Ok(()) => {}
                    Err(FsError::NotFound) if on('f') => {}
                    Err(e) => {
                        io.err(format!("{name}: can't remove '{f}': {e}"));
                        code = 1;
                    }
                }
            }
        }
        "cp" | "mv" => {
            let Some((to, from)) = files.split_last().filter(|(_, from)| !from.is_empty()) else {
                io.err(format!("{name}: missing file operand"));
                return Some(Run::Done(1));
            };
            for f in from {
                let source = inside.path(f);
                let mut target = inside.path(to);
                if fs::is_dir(w, &inside.pod, &inside.container, &target) {
                    let base = source.rsplit('/').next().unwrap_or("");
                    target = format!("{target}/{base}");
                }
                let result = fs::read(w, &inside.pod, &inside.container, &source).and_then(|t| {
                    fs::write(w, &inside.pod, &inside.container, &target, &t)?;
                    if name == "mv" {
                        fs::remove(w, &inside.pod, &inside.container, &source, false)?;
                    }
                    Ok(())
                });
                if let Err(e) = result {
                    let what = if name == "mv" { "can't rename" } else { "can't stat" };
                    io.err(format!("{name}: {what} '{f}': {e}"));
                    code = 1;
                }
            }
        }
        "stat" => {
            for f in files {
                if fs::exists(w, &inside.pod, &inside.container, &inside.path(f)) {
                    io.line(format!("  File: {f}"));
                } else {
                    io.err(format!("stat: can't stat '{f}': {}", FsError::NotFound));
                    code = 1;
                }
            }
        }
        "df" | "mount" => mounts(w, io, inside, name == "df"),
        _ => return None,
    }
    Some(Run::Done(code))
}

/// File patterns in the last part of a path.
fn expand(w: &World, inside: &Inside, files: &[&String]) -> Vec<String> {
    let mut out = Vec::new();
    for f in files {
        let (dir, last) = f.rsplit_once('/').unwrap_or(("", f));
        if !last.contains(['*', '?']) {
            out.push((*f).clone());
            continue;
        }
        let at = inside.path(if dir.is_empty() && !f.starts_with('/') { "." } else { dir });
        let entries = fs::list(w, &inside.pod, &inside.container, &at).unwrap_or_default();
        let before = out.len();
        for e in entries {
            if crate::shell::glob(last, &e.name) && !e.name.starts_with('.') {
                out.push(if f.contains('/') { format!("{dir}/{}", e.name) } else { e.name });
            }
        }
        if out.len() == before {
            out.push((*f).clone());
        }
    }
    out
}

fn ls(w: &World, io: &mut Io, inside: &Inside, options: &str, files: &[&String]) -> i32 {
    let here = ".".to_owned();
    let files = if files.is_empty() { vec![here] } else { expand(w, inside, files) };
    let many = files.len() > 1;
    let mut code = 0;
    let line = |name: &str, dir: bool, size: usize| {
        if options.contains('l') {
            let mode = if dir { "drwxr-xr-x" } else { "-rw-r--r--" };
            format!("{mode}    1 root     root     {size:>9} Jan  5 09:00 {name}")
        } else {
            name.to_owned()
        }
    };
    for (i, f) in files.iter().enumerate() {
        let path = inside.path(f);
        if !fs::is_dir(w, &inside.pod, &inside.container, &path) || options.contains('d') {
            match fs::read(w, &inside.pod, &inside.container, &path) {
                Ok(t) => io.line(line(f, false, t.len())),
                Err(FsError::IsDir) => io.line(line(f, true, 4096)),
                Err(e) => {
                    io.err(format!("ls: {f}: {e}"));
                    code = 1;
                }
            }
            continue;
        }
        if many {
            io.line(format!("{}{f}:", if i > 0 { "\n" } else { "" }));
        }
        match fs::list(w, &inside.pod, &inside.container, &path) {
            Ok(entries) => {
                if options.contains('l') {
                    io.line(format!("total {}", entries.len() * 4));
                }
                for e in entries {
                    if options.contains('a') || !e.name.starts_with('.') {
                        io.line(line(&e.name, e.dir, e.size));
                    }
                }
            }
            Err(e) => {
                io.err(format!("ls: {f}: {e}"));
                code = 1;
            }
        }
    }
    code
}

/// `df` and `mount`: the volumes of the container.
fn mounts(w: &World, io: &mut Io, inside: &Inside, sizes: bool) {
    let Some(pod) = w.store.by_key(&inside.pod) else { return };
    if sizes {
        io.line("Filesystem           1K-blocks      Used Available Use% Mounted on");
        io.line("overlay               67108864   8388608  58720256  12% /");
    } else {
        io.line("overlay on / type overlay (rw,relatime)");
    }
    for m in spec(pod, &inside.container)["volumeMounts"].items() {
        let (name, path) = (m["name"].str(), m["mountPath"].str());
        let mode = if m["readOnly"].is_true() { "ro" } else { "rw" };
        if sizes {
            io.line(format!("/dev/{name:<15}  1048576       512   1048064   0% {path}"));
        } else {
            io.line(format!("/dev/{name} on {path} type ext4 ({mode},relatime)"));
        }
    }
}
