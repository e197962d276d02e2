//! Differences of two texts as `diff -u` prints them.

use std::fmt::Write as _;

/// Lines around a difference.
const CONTEXT: usize = 3;
/// Beyond so many pairs of lines the texts are taken as different as a whole.
const LARGEST: usize = 4_000_000;

/// One line: what stands before it and the line.
type Line<'a> = (char, &'a str);

/// The shortest way from one text to the other.
fn edits<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<Line<'a>> {
    let head = before.iter().zip(after).take_while(|(x, y)| x == y).count();
    let (a, b) = (before.get(head..).unwrap_or(&[]), after.get(head..).unwrap_or(&[]));
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, end) = a.split_at(a.len() - tail);
    let b = b.get(..b.len() - tail).unwrap_or(&[]);
    let mut out: Vec<Line> = before.iter().take(head).map(|l| (' ', *l)).collect();
    let width = b.len() + 1;
    if a.len().saturating_mul(b.len()) > LARGEST {
        out.extend(a.iter().map(|l| ('-', *l)));
        out.extend(b.iter().map(|l| ('+', *l)));
    } else {
        // how many lines the rests have in common
        let mut common = vec![0_u32; (a.len() + 1) * width];
        let at = |i: usize, j: usize| i * width + j;
        for i in (0..a.len()).rev() {
            for j in (0..b.len()).rev() {
                common[at(i, j)] = if a[i] == b[j] {
                    common[at(i + 1, j + 1)] + 1
                } else {
                    common[at(i + 1, j)].max(common[at(i, j + 1)])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < a.len() || j < b.len() {
            if i < a.len() && j < b.len() && a[i] == b[j] {
                out.push((' ', a[i]));
                (i, j) = (i + 1, j + 1);
            } else if j == b.len() || i < a.len() && common[at(i + 1, j)] >= common[at(i, j + 1)] {
                out.push(('-', a[i]));
                i += 1;
            } else {
                out.push(('+', b[j]));
                j += 1;
            }
        }
    }
    out.extend(end.iter().map(|l| (' ', *l)));
    out
}

/// All differences with the lines around them; empty if there are none.
pub fn unified(before: &str, after: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let lines = edits(&a, &b);
    let changed: Vec<usize> =
        lines.iter().enumerate().filter(|(_, l)| l.0 != ' ').map(|(i, _)| i).collect();
    let mut out = String::new();
    for group in changed.chunk_by(|x, y| y - x <= 2 * CONTEXT + 1) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let from = first.saturating_sub(CONTEXT);
        let to = (last + CONTEXT + 1).min(lines.len());
        let count = |part: &[Line], sign: char| part.iter().filter(|l| l.0 != sign).count();
        let (skipped, part) = (&lines[..from], &lines[from..to]);
        let range = |sign: char| {
            let (start, n) = (count(skipped, sign), count(part, sign));
            match n {
                0 => format!("{start},0"),
                1 => format!("{}", start + 1),
                n => format!("{},{n}", start + 1),
            }
        };
        let _ = writeln!(out, "@@ -{} +{} @@", range('+'), range('-'));
        for (sign, line) in part {
            let _ = writeln!(out, "{sign}{line}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn hunks() {
        let text = |lines: &[&str]| lines.iter().map(|l| format!("{l}\n")).collect::<String>();
        let a = text(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]);
        let b = text(&["1", "x", "3", "4", "5", "6", "7", "8", "9", "10", "11", "y", "12"]);
        assert_eq!(
            unified(&a, &b),
            "@@ -1,5 +1,5 @@\n 1\n-2\n+x\n 3\n 4\n 5\n@@ -9,4 +9,5 @@\n 9\n 10\n 11\n+y\n 12\n"
        );
        assert_eq!(unified("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
        assert_eq!(unified("a\n", "b\n"), "@@ -1 +1 @@\n-a\n+b\n");
        assert_eq!(unified(&a, &a), "");
    }
}
