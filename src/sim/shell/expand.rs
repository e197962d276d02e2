//! Words to arguments: variables, results of commands, arithmetic, splitting.

use std::rc::Rc;

use crate::shell::parse::{Node, Part, Word};
use crate::shell::{Shell, arithmetic};

/// The `$(…)` of a word in the order in which they run.
pub fn commands(word: &Word) -> Vec<Rc<Node>> {
    let mut nodes = Vec::new();
    for part in word {
        match part {
            Part::Command { node, .. } => nodes.push(node.clone()),
            Part::Var { or: Some((_, w)), .. } | Part::Arithmetic(w) => nodes.extend(commands(w)),
            // braces beside substitutions stay as they are
            _ => {}
        }
    }
    nodes
}

/// Longest value of a variable, bytes.
const LONGEST: usize = 1 << 20;

pub(super) type Results = std::vec::IntoIter<String>;

/// A word as one text.
///
/// # Errors
/// What the shell says of a bad substitution.
pub fn text(sh: &mut Shell, word: &Word, results: &mut Results) -> Result<String, String> {
    let mut out = String::new();
    for part in word {
        out.push_str(&value(sh, part, results)?);
        if out.len() > LONGEST {
            return Err("not simulated: so long a text".to_owned());
        }
    }
    Ok(out)
}

/// A word as a pattern of `case` and `[[`: what is quoted stands for itself.
///
/// # Errors
/// What the shell says of a bad substitution.
pub fn pattern(sh: &mut Shell, word: &Word, results: &mut Results) -> Result<String, String> {
    let mut out = String::new();
    for part in word {
        let v = value(sh, part, results)?;
        match part {
            Part::Text(_) | Part::Var { quoted: true, .. } | Part::Command { quoted: true, .. } => {
                escape(&mut out, &v);
            }
            _ => out.push_str(&v),
        }
    }
    Ok(out)
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        if "*?[]\\".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
}

/// An argument, and the file pattern that it is, if it is one.
#[derive(Default)]
pub struct Field {
    /// The text.
    pub text: String,
    /// The pattern; files that fit take the argument's place.
    pub pattern: Option<String>,
}

impl Field {
    fn push(&mut self, part: &Part, text: &str) {
        let globs = matches!(part, Part::Glob(_));
        if globs && self.pattern.is_none() {
            let mut before = String::new();
            escape(&mut before, &self.text);
            self.pattern = Some(before);
        }
        self.text.push_str(text);
        if let Some(pattern) = &mut self.pattern {
            if globs {
                pattern.push_str(text);
            } else {
                escape(pattern, text);
            }
        }
    }
}

/// A word as arguments: what is not quoted is split at blanks.
///
/// # Errors
/// What the shell says of a bad substitution.
pub fn fields(sh: &mut Shell, word: &Word, results: &mut Results) -> Result<Vec<Field>, String> {
    let mut out = Vec::new();
    if let [Part::Braces(plain, list)] = word.as_slice() {
        if !sh.bash {
            return fields(sh, plain, results);
        }
        for word in list {
            out.append(&mut fields(sh, word, results)?);
        }
        return Ok(out);
    }
    let mut current: Option<Field> = None;
    for part in word {
        if let Part::Var { name, or: None, quoted: true } = part
            && name == "@"
        {
            // "$@": each argument stays a word of its own
            for (i, arg) in sh.args.iter().enumerate() {
                if i > 0 {
                    out.extend(current.take());
                }
                current.get_or_insert_default().push(part, arg);
            }
            continue;
        }
        let v = value(sh, part, results)?;
        let split =
            matches!(part, Part::Var { quoted: false, .. } | Part::Command { quoted: false, .. });
        if !split {
            current.get_or_insert_default().push(part, &v);
            continue;
        }
        if v.starts_with(|c: char| c.is_ascii_whitespace()) {
            out.extend(current.take());
        }
        let mut words = v.split_ascii_whitespace().peekable();
        while let Some(piece) = words.next() {
            current.get_or_insert_default().push(part, piece);
            if words.peek().is_some() {
                out.extend(current.take());
            }
        }
        if v.ends_with(|c: char| c.is_ascii_whitespace()) {
            out.extend(current.take());
        }
    }
    out.extend(current);
    Ok(out)
}

fn value(sh: &mut Shell, part: &Part, results: &mut Results) -> Result<String, String> {
    Ok(match part {
        Part::Text(t) => t.clone(),
        Part::Glob(c) => c.to_string(),
        Part::Braces(word, _) => text(sh, word, results)?,
        Part::Command { .. } => results.next().unwrap_or_default(),
        Part::Arithmetic(word) => {
            let expression = text(sh, word, results)?;
            arithmetic::evaluate(sh, &expression)?.to_string()
        }
        Part::Var { name, or, .. } => {
            let found = sh.var(name);
            match or {
                None => found.unwrap_or_default(),
                Some((op, word)) => {
                    let other = text(sh, word, results)?;
                    let set = found.is_some();
                    let full = found.as_ref().is_some_and(|v| !v.is_empty());
                    let found = found.unwrap_or_default();
                    match op.as_str() {
                        "-" if set => found,
                        ":-" if full => found,
                        "+" if !set => String::new(),
                        ":+" if !full => String::new(),
                        "=" if set => found,
                        ":=" if full => found,
                        ":=" | "=" => {
                            sh.vars.insert(name.clone().into(), other.clone().into());
                            other
                        }
                        ":?" if full => found,
                        "?" if set => found,
                        ":?" | "?" => {
                            let why = if other.is_empty() {
                                "parameter null or not set".to_owned()
                            } else {
                                other
                            };
                            return Err(format!("{name}: {why}"));
                        }
                        "length" => found.chars().count().to_string(),
                        "/" | "//" => replace(&found, &other, op.len() == 2),
                        "#" | "##" => strip(&found, &other, true, op.len() == 2),
                        "%" | "%%" => strip(&found, &other, false, op.len() == 2),
                        _ => other,
                    }
                }
            }
        }
    })
}

/// `${v#pattern}` and its like; `*` and `?` are understood.
fn strip(v: &str, pattern: &str, front: bool, longest: bool) -> String {
    let mut cuts: Vec<usize> = v.char_indices().map(|(i, _)| i).chain([v.len()]).collect();
    // the first match wins: order the cuts by how much they take away
    if front == longest {
        cuts.reverse();
    }
    for cut in cuts {
        let (head, tail) = v.split_at(cut);
        let (part, rest) = if front { (head, tail) } else { (tail, head) };
        if glob(pattern, part) {
            return rest.to_owned();
        }
    }
    v.to_owned()
}

/// `${v/pattern/text}`; `all`: as `//` does.
fn replace(v: &str, rest: &str, all: bool) -> String {
    let (pattern, to) = rest.split_once('/').unwrap_or((rest, ""));
    let ends: Vec<usize> = v.char_indices().map(|(i, _)| i).chain([v.len()]).collect();
    let mut out = String::new();
    let mut from = 0;
    while from < v.len() {
        // the longest piece that fits
        let end = ends
            .iter()
            .rev()
            .find(|e| **e > from && v.get(from..**e).is_some_and(|p| glob(pattern, p)));
        if let Some(end) = end {
            out.push_str(to);
            from = *end;
            if !all {
                break;
            }
        } else {
            let c = v.get(from..).and_then(|r| r.chars().next()).unwrap_or(' ');
            out.push(c);
            from += c.len_utf8();
        }
    }
    out + v.get(from..).unwrap_or("")
}

/// Does a file pattern (`*`, `?`, `[a-c]`, `\\x` for x itself) match?
pub fn glob(pattern: &str, s: &str) -> bool {
    let p: Vec<char> = pattern.chars().collect();
    let s: Vec<char> = s.chars().collect();
    let (mut i, mut j) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while j < s.len() {
        if p.get(i) == Some(&'*') {
            star = Some((i, j));
            i += 1;
            continue;
        }
        match s.get(j).and_then(|c| one(p.get(i..).unwrap_or_default(), *c)) {
            Some(used) => {
                i += used;
                j += 1;
            }
            None => match star {
                Some((pi, sj)) => {
                    i = pi + 1;
                    j = sj + 1;
                    star = Some((pi, sj + 1));
                }
                None => return false,
            },
        }
    }
    p.iter().skip(i).all(|c| *c == '*')
}

/// Does the first piece of a pattern (not `*`) match this character? How long is it?
fn one(p: &[char], c: char) -> Option<usize> {
    match p {
        ['?', ..] => Some(1),
        ['\\', x, ..] => (*x == c).then_some(2),
        ['[', rest @ ..] => {
            let (not, rest) = match rest {
                ['!' | '^', rest @ ..] => (true, rest),
                _ => (false, rest),
            };
            let Some(end) = rest.iter().skip(1).position(|c| *c == ']').map(|i| i + 1) else {
                return (c == '[').then_some(1);
            };
            let set = rest.get(..end)?;
            let mut found = false;
            let mut i = 0;
            while let Some(a) = set.get(i) {
                let to = set.get(i + 2).filter(|_| set.get(i + 1) == Some(&'-'));
                found |= (*a..=*to.unwrap_or(a)).contains(&c);
                i += if to.is_some() { 3 } else { 1 };
            }
            (found != not).then_some(end + 2 + usize::from(not))
        }
        [x, ..] => (*x == c).then_some(1),
        [] => None,
    }
}
