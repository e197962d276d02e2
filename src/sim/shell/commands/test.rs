//! `test` and `[`.

use crate::kubectl::io::Io;
use crate::shell::Shell;
use crate::world::World;

/// Its status: 0 yes, 1 no, 2 these words make no test.
pub fn test(sh: &Shell, w: &World, io: &Io, args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match either(sh, w, io, &words) {
        Some(yes) => i32::from(!yes),
        None => 2,
    }
}

/// `a -o b`, then `a -a b`, then single tests, as POSIX reads more than four words.
fn either(sh: &Shell, w: &World, io: &Io, words: &[&str]) -> Option<bool> {
    if words.len() > 3 {
        for (joins, any) in [("-o", true), ("-a", false)] {
            if let Some(at) = words.iter().skip(1).position(|x| *x == joins).map(|i| i + 1) {
                let left = either(sh, w, io, words.get(..at)?)?;
                let right = either(sh, w, io, words.get(at + 1..)?)?;
                return Some(if any { left || right } else { left && right });
            }
        }
    }
    single(sh, w, io, words)
}

fn single(sh: &Shell, w: &World, io: &Io, words: &[&str]) -> Option<bool> {
    let number = |s: &str| s.trim().parse::<i64>().ok();
    let read = |path: &str| sh.place.read(w, io, path);
    Some(match words {
        [] => false,
        [one] => !one.is_empty(),
        ["!", rest @ ..] => !either(sh, w, io, rest)?,
        ["(", inner @ .., ")"] => either(sh, w, io, inner)?,
        ["-n", s] => !s.is_empty(),
        ["-z", s] => s.is_empty(),
        ["-d", path] => sh.place.is_dir(w, path),
        ["-f", path] => read(path).is_ok(),
        ["-e" | "-r" | "-w" | "-x", path] => read(path).is_ok() || sh.place.is_dir(w, path),
        ["-s", path] => read(path).is_ok_and(|t| !t.is_empty()),
        ["-L" | "-h" | "-p" | "-S" | "-b" | "-c", _] => false,
        ["-t", _] => io.tty,
        [a, "=" | "==", b] => a == b,
        [a, "!=", b] => a != b,
        [a, "<", b] => a < b,
        [a, ">", b] => a > b,
        [a, op @ ("-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge"), b] => {
            let (a, b) = (number(a)?, number(b)?);
            match *op {
                "-eq" => a == b,
                "-ne" => a != b,
                "-lt" => a < b,
                "-le" => a <= b,
                "-gt" => a > b,
                _ => a >= b,
            }
        }
        _ => return None,
    })
}
