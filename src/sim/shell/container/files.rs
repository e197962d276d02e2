//! Programs for files inside containers.

use super::system::User;
use super::{Inside, Tools, disks, spec};
use crate::kubectl::io::{Io, Run};
use crate::shell::{Dialect, Place, Shell};
use crate::storage::fs::{self, FsError};
use crate::value::Value;
use crate::world::World;

/// Starts a program for files; `None` if it is none.
pub fn program(
    sh: &mut Shell,
    w: &mut World,
    io: &mut Io,
    name: &str,
    args: &[String],
) -> Option<Run> {
    let (prefix, dialect) = (sh.prefix(), sh.dialect());
    let Place::Container(inside) = &mut sh.place else { return None };
    let gnu = inside.tools() == Tools::Gnu;
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
                let why = match dialect {
                    Dialect::Bash => format!("{to}: {}", FsError::NotFound),
                    Dialect::Dash => format!("can't cd to {to}"),
                    Dialect::Ash => format!("can't cd to {to}: {}", FsError::NotFound),
                };
                io.err(format!("{prefix}: cd: {why}"));
                code = if dialect == Dialect::Bash { 1 } else { 2 };
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
                    let what = if gnu { format!("cannot touch '{f}'") } else { f.clone() };
                    io.err(format!("touch: {what}: {e}"));
                    code = 1;
                }
            }
        }
        "mkdir" => {
            for f in files {
                let path = inside.path(f);
                if let Err(e) = fs::mkdir(w, &inside.pod, &inside.container, &path, on('p')) {
                    let cannot = if gnu { "cannot" } else { "can't" };
                    io.err(format!("mkdir: {cannot} create directory '{f}': {e}"));
                    code = 1;
                }
            }
        }
        "rm" | "rmdir" => {
            let recursive = on('r') || on('R') || name == "rmdir";
            for f in files {
                let path = inside.path(f);
                if name == "rmdir"
                    && fs::list(w, &inside.pod, &inside.container, &path)
                        .is_ok_and(|l| !l.is_empty())
                {
                    let failed = if gnu { "failed to remove " } else { "" };
                    io.err(format!("rmdir: {failed}'{f}': {}", FsError::NotEmpty));
                    code = 1;
                    continue;
                }
                match fs::remove(w, &inside.pod, &inside.container, &path, recursive) {
                    Ok(()) => {}
                    Err(FsError::NotFound) if on('f') => {}
                    Err(e) => {
                        let what = match (gnu, name) {
                            (true, "rm") => "cannot remove ",
                            (true, _) => "failed to remove ",
                            (false, "rm") => "can't remove ",
                            (false, _) => "",
                        };
                        io.err(format!("{name}: {what}'{f}': {e}"));
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
                    let what = match (gnu, name) {
                        (true, _) => "cannot stat",
                        (false, "mv") => "can't rename",
                        (false, _) => "can't stat",
                    };
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
                    let cannot = if gnu { "cannot statx" } else { "can't stat" };
                    io.err(format!("stat: {cannot} '{f}': {}", FsError::NotFound));
                    code = 1;
                }
            }
        }
        "df" => code = disks::df(w, io, inside, on('h'), &files),
        "mount" => disks::mount(w, io, inside),
        _ => return None,
    }
    Some(Run::Done(code))
}

fn ls(w: &World, io: &mut Io, inside: &Inside, options: &str, files: &[&String]) -> i32 {
    let here = ".".to_owned();
    let files = if files.is_empty() { vec![&here] } else { files.to_vec() };
    if options.contains('R') {
        io.err("ls: not simulated: -R");
        return 1;
    }
    let many = files.len() > 1;
    let mut code = 0;
    let user = User::of(w, inside);
    // where volumes are, and whether the kubelet put their files there, as links
    let mounts: Vec<(String, bool)> = w
        .store
        .by_key(&inside.pod)
        .map(|pod| {
            let all = spec(pod, &inside.container)["volumeMounts"].items().iter();
            let volumes = pod.spec()["volumes"].items();
            let linked = |m: &Value| {
                let volume = volumes.iter().find(|v| v["name"] == m["name"]);
                let given = ["configMap", "secret", "downwardAPI", "projected"];
                let whole = !m.has("subPath") && !m.has("subPathExpr");
                whole && volume.is_some_and(|v| given.iter().any(|kind| v.has(kind)))
            };
            all.map(|m| (inside.path(m["mountPath"].str()), linked(m))).collect()
        })
        .unwrap_or_default();
    let link = |path: &str| {
        let (dir, _) = path.rsplit_once('/').unwrap_or_default();
        mounts.iter().any(|(m, linked)| *linked && m == dir)
    };
    let gnu = inside.tools() == Tools::Gnu;
    let line = |name: &str, path: &str, dir: bool, size: usize, wide: usize| {
        if !options.contains('l') {
            return name.to_owned();
        }
        // what lies on a volume belongs to those who write there
        let mount = mounts.iter().find(|(m, _)| path == m || path.starts_with(&format!("{m}/")));
        let on_volume = mount.is_some();
        let root = mount.is_some_and(|(m, _)| path == m);
        let linked = link(path);
        let own = on_volume && !root && !mount.is_some_and(|(_, given)| *given);
        let owner = user.name(if own { user.uid } else { 0 });
        let group = user.name(user.fs_group.filter(|_| on_volume).unwrap_or(0));
        let mode = match (dir, user.fs_group.is_some() && on_volume, root) {
            _ if linked => "lrwxrwxrwx",
            (true, true, true) => "drwxrwsr-x",
            (true, true, false) => "drwxr-sr-x",
            (true, ..) => "drwxr-xr-x",
            _ => "-rw-r--r--",
        };
        let base = path.rsplit('/').next().unwrap_or("");
        let target = if linked { format!("..data/{base}") } else { String::new() };
        let size = if linked { target.len() } else { size };
        let name = if linked { format!("{name} -> {target}") } else { name.to_owned() };
        if gnu {
            let links = if dir && !linked { 2 } else { 1 };
            format!("{mode} {links} {owner} {group} {size:>wide$} Jan  5 09:00 {name}")
        } else {
            format!("{mode}    1 {owner:<8} {group:<8} {size:>9} Jan  5 09:00 {name}")
        }
    };
    for (i, f) in files.iter().enumerate() {
        let path = inside.path(f);
        if !fs::is_dir(w, &inside.pod, &inside.container, &path) || options.contains('d') {
            match fs::read(w, &inside.pod, &inside.container, &path) {
                Ok(t) => io.line(line(f, &path, false, t.len(), 1)),
                Err(FsError::IsDir) => io.line(line(f, &path, true, 4096, 1)),
                Err(e) => {
                    if gnu {
                        io.err(format!("ls: cannot access '{f}': {e}"));
                    } else {
                        io.err(format!("ls: {f}: {e}"));
                    }
                    code = if gnu { 2 } else { 1 };
                }
            }
            continue;
        }
        if many {
            io.line(format!("{}{f}:", if i > 0 { "\n" } else { "" }));
        }
        match fs::list(w, &inside.pod, &inside.container, &path) {
            Ok(mut entries) => {
                if options.contains('a') {
                    let own =
                        |name: &str| fs::Entry { name: name.to_owned(), dir: true, size: 4096 };
                    entries.splice(0..0, [own("."), own("..")]);
                }
                let hidden = options.contains(['a', 'A']);
                entries.retain(|e| hidden || !e.name.starts_with('.'));
                let wide = entries.iter().map(|e| e.size.to_string().len()).max().unwrap_or(1);
                if options.contains('l') {
                    // a link takes no block of its own
                    let full = |name: &str| format!("{}/{name}", path.trim_end_matches('/'));
                    let blocks = entries.iter().filter(|e| !link(&full(&e.name))).count();
                    io.line(format!("total {}", blocks * 4));
                }
                for e in entries {
                    let full = format!("{}/{}", path.trim_end_matches('/'), e.name);
                    io.line(line(&e.name, &inside.path(&full), e.dir, e.size, wide));
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
