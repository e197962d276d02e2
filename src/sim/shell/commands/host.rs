//! What the shell tells of commands and files: `command -v`, `type`, `ls` on the learner's
//! machine.

use super::start;
use crate::kubectl::io::{Io, Run};
use crate::shell::{Place, Shell, text};
use crate::world::World;

/// `ls` on the learner's machine: its files, or those of a folder.
pub(super) fn ls(sh: &Shell, w: &World, io: &mut Io, args: &[String]) -> Run {
    let mut code = 0;
    let long = args.iter().any(|a| a.starts_with('-') && a.contains('l'));
    let show = |io: &mut Io, name: &str, size: usize| {
        if long {
            io.line(format!("-rw-r--r-- 1 learner learner {size:>6} Jan  5 09:00 {name}"));
        } else {
            io.line(name);
        }
    };
    let here = ".".to_owned();
    let mut paths: Vec<&String> = args.iter().filter(|a| !a.starts_with('-')).collect();
    if paths.is_empty() {
        paths.push(&here);
    }
    for path in paths {
        if let Some(file) = crate::kubectl::files::read(w, io, path).map(|t| t.len()) {
            show(io, path, file);
        } else if sh.place.is_dir(w, path) {
            let bare = path.trim_start_matches("./").trim_end_matches('/');
            let folder = if matches!(bare, "" | ".") { String::new() } else { format!("{bare}/") };
            let mut last = "";
            let mut found: Vec<(&str, usize)> = Vec::new();
            // kubectl's temporary files are not in this folder
            for (name, text) in w.terminals.files.iter().filter(|(f, _)| !f.starts_with('/')) {
                let Some(rest) = name.strip_prefix(folder.as_str()) else { continue };
                match rest.split_once('/') {
                    None => found.push((rest, text.len())),
                    Some((dir, _)) if dir == last => {}
                    Some((dir, _)) => {
                        last = dir;
                        found.push((dir, 4096));
                    }
                }
            }
            if long {
                let blocks: usize = found.iter().map(|(_, size)| size.div_ceil(4096) * 4).sum();
                io.line(format!("total {blocks}"));
            }
            for (name, size) in found {
                show(io, name, size);
            }
        } else {
            io.err(format!("ls: cannot access '{path}': No such file or directory"));
            code = 2;
        }
    }
    Run::Done(code)
}

/// `command` and `type`: says what a name is, or runs it past functions.
pub(super) fn known(
    sh: &mut Shell,
    w: &mut World,
    io: &mut Io,
    name: &str,
    args: &[String],
) -> Run {
    /// Words of the shell itself.
    const BUILTIN: &[&str] = &[
        "echo", "printf", "cd", "test", "[", "export", "set", "unset", "read", "exit", "return",
        "true", "false", "eval", "shift", "break", "continue", "type", "command", "pwd", "kill",
    ];
    let asks = name == "type" || args.first().is_some_and(|a| a == "-v" || a == "-V");
    if !asks {
        return start(sh, w, io, args);
    }
    let mut code = 0;
    for word in args.iter().filter(|a| !a.starts_with('-')) {
        let short = word.rsplit('/').next().unwrap_or(word);
        let there = match &sh.place {
            Place::Host if HOST.contains(&short) || text::is_filter(short) => {
                Some(format!("/usr/bin/{short}"))
            }
            Place::Host => None,
            Place::Container(c) => c.which(w, word),
        };
        let say = name == "type";
        if sh.functions.contains_key(word.as_str()) {
            io.line(if say { format!("{word} is a function") } else { word.clone() });
        } else if BUILTIN.contains(&short) {
            io.line(if say { format!("{word} is a shell builtin") } else { word.clone() });
        } else if let Some(path) = there {
            io.line(if say { format!("{word} is {path}") } else { path });
        } else {
            if say {
                io.err(format!("{}: type: {word}: not found", sh.name()));
            }
            code = 1;
        }
    }
    Run::Done(code)
}

/// Programs of the learner's machine that are no filters.
pub(super) const HOST: &[&str] = &[
    "kubectl", "ls", "rm", "pwd", "whoami", "hostname", "which", "seq", "date", "sleep", "xargs",
    "tee", "timeout", "watch", "diff", "bash", "sh", "env", "basename", "dirname", "touch", "cp",
    "mv", "history", "expr",
];
