//! `diff` of two files, as it prints by itself and with `-u`.

use crate::kubectl::io::Io;
use crate::shell::Shell;
use crate::world::World;

/// Most lines of a file that are compared line by line.
const MOST: usize = 2000;

/// Ranges of lines that differ: from and to (not included) on both sides.
fn changes(a: &[&str], b: &[&str]) -> Vec<(usize, usize, usize, usize)> {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (ra, rb) = (&a[same..], &b[same..]);
    let tail = ra.iter().rev().zip(rb.iter().rev()).take_while(|(x, y)| x == y).count();
    let (ma, mb) = (&ra[..ra.len() - tail], &rb[..rb.len() - tail]);
    if ma.len() > MOST || mb.len() > MOST {
        return vec![(same, same + ma.len(), same, same + mb.len())];
    }
    // longest common subsequence of what is left in the middle
    let wide = mb.len() + 1;
    let mut table = vec![0_u32; (ma.len() + 1) * wide];
    for i in (0..ma.len()).rev() {
        for j in (0..mb.len()).rev() {
            table[i * wide + j] = if ma[i] == mb[j] {
                table[(i + 1) * wide + j + 1] + 1
            } else {
                table[(i + 1) * wide + j].max(table[i * wide + j + 1])
            };
        }
    }
    let mut found: Vec<(usize, usize, usize, usize)> = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < ma.len() || j < mb.len() {
        if i < ma.len() && j < mb.len() && ma[i] == mb[j] {
            i += 1;
            j += 1;
            continue;
        }
        let (x, y) = (i, j);
        if j >= mb.len() || i < ma.len() && table[(i + 1) * wide + j] >= table[i * wide + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
        match found.last_mut() {
            Some(c) if c.1 == x + same && c.3 == y + same => (c.1, c.3) = (i + same, j + same),
            _ => found.push((x + same, i + same, y + same, j + same)),
        }
    }
    found
}

/// `3` or `3,5`: lines from a position, counted from 1.
fn lines(from: usize, to: usize) -> String {
    match to - from {
        0 => from.to_string(),
        1 => to.to_string(),
        _ => format!("{},{to}", from + 1),
    }
}

/// Runs it; 1 if the files differ.
pub(super) fn diff(sh: &Shell, w: &World, io: &mut Io, args: &[String]) -> i32 {
    let unified = args.iter().any(|a| a.starts_with("-u") || a.starts_with("-U"));
    let quiet = args.iter().any(|a| a == "-q" || a == "--brief");
    let files: Vec<&String> = args.iter().filter(|a| !a.starts_with('-') || *a == "-").collect();
    let [a, b] = files.as_slice() else {
        io.err("diff: missing operand\ndiff: Try 'diff --help' for more information.");
        return 2;
    };
    let mut texts = Vec::new();
    for file in [a, b] {
        if *file == "-" {
            io.err("diff: not simulated: standard input (-): write it to a file first");
            return 2;
        }
        match sh.place.read(w, io, file) {
            Ok(text) => texts.push(text),
            Err(why) => {
                io.err(format!("diff: {file}: {why}"));
                return 2;
            }
        }
    }
    let (x, y): (Vec<&str>, Vec<&str>) = (texts[0].lines().collect(), texts[1].lines().collect());
    let found = changes(&x, &y);
    if found.is_empty() {
        return 0;
    }
    if quiet {
        io.line(format!("Files {a} and {b} differ"));
        return 1;
    }
    if unified {
        io.line(format!("--- {a}\n+++ {b}"));
        unify(io, &x, &y, &found);
        return 1;
    }
    for (a, b, c, d) in found {
        let (what, bar) = match (b - a, d - c) {
            (0, _) => ('a', false),
            (_, 0) => ('d', false),
            _ => ('c', true),
        };
        io.line(format!("{}{what}{}", lines(a, b), lines(c, d)));
        x[a..b].iter().for_each(|l| io.line(format!("< {l}")));
        if bar {
            io.line("---");
        }
        y[c..d].iter().for_each(|l| io.line(format!("> {l}")));
    }
    1
}

fn unify(io: &mut Io, x: &[&str], y: &[&str], found: &[(usize, usize, usize, usize)]) {
    /// Lines around a change.
    const AROUND: usize = 3;
    for hunk in found.chunk_by(|p, q| q.0 - p.1 <= 2 * AROUND) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let from = first.0.saturating_sub(AROUND);
        let to = (last.1 + AROUND).min(x.len());
        let (below, above) = (first.0 - from, to - last.1);
        let span = |start: usize, n: usize| match n {
            1 => (start + 1).to_string(),
            0 => format!("{start},0"),
            _ => format!("{},{n}", start + 1),
        };
        io.line(format!(
            "@@ -{} +{} @@",
            span(from, to - from),
            span(first.2 - below, last.3 + above - (first.2 - below))
        ));
        let mut at = from;
        for (a, b, c, d) in hunk {
            x[at..*a].iter().for_each(|l| io.line(format!(" {l}")));
            x[*a..*b].iter().for_each(|l| io.line(format!("-{l}")));
            y[*c..*d].iter().for_each(|l| io.line(format!("+{l}")));
            at = *b;
        }
        x[at..to].iter().for_each(|l| io.line(format!(" {l}")));
    }
}
