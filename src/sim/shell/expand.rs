//! Words to arguments: variables, results of commands, arithmetic, splitting.

use std::rc::Rc;

use crate::shell::Shell;
use crate::shell::parse::{Node, Part, Word};

/// The `$(…)` of a word in the order in which they run.
pub fn commands(word: &Word) -> Vec<Rc<Node>> {
    let mut nodes = Vec::new();
    for part in word {
        match part {
            Part::Command { node, .. } => nodes.push(node.clone()),
            Part::Var { or: Some((_, w)), .. } | Part::Arithmetic(w) => nodes.extend(commands(w)),
            _ => {}
        }
    }
    nodes
}

type Results = std::vec::IntoIter<String>;

/// A word as one text.
///
/// # Errors
/// What the shell says of a bad substitution.
pub fn text(sh: &mut Shell, word: &Word, results: &mut Results) -> Result<String, String> {
    let mut out = String::new();
    for part in word {
        out.push_str(&value(sh, part, results)?);
    }
    Ok(out)
}

/// A word as arguments: what is not quoted is split at blanks.
///
/// # Errors
/// What the shell says of a bad substitution.
pub fn fields(sh: &mut Shell, word: &Word, results: &mut Results) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut current: Option<String> = None;
    for part in word {
        if let Part::Var { name, or: None, quoted: true } = part
            && name == "@"
        {
            // "$@": each argument stays a word of its own
            for (i, arg) in sh.args.iter().enumerate() {
                if i > 0 {
                    out.extend(current.take());
                }
                current.get_or_insert_default().push_str(arg);
            }
            continue;
        }
        let v = value(sh, part, results)?;
        let split =
            matches!(part, Part::Var { quoted: false, .. } | Part::Command { quoted: false, .. });
        if !split {
            current.get_or_insert_default().push_str(&v);
            continue;
        }
        if v.starts_with(|c: char| c.is_ascii_whitespace()) {
            out.extend(current.take());
        }
        let mut words = v.split_ascii_whitespace().peekable();
        while let Some(piece) = words.next() {
            current.get_or_insert_default().push_str(piece);
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
        Part::Command { .. } => results.next().unwrap_or_default(),
        Part::Arithmetic(word) => {
            let expression = text(sh, word, results)?;
            arithmetic(sh, &expression)?.to_string()
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

/// Does a file pattern (`*`, `?`) match?
pub fn glob(pattern: &str, s: &str) -> bool {
    let p: Vec<char> = pattern.chars().collect();
    let s: Vec<char> = s.chars().collect();
    let (mut i, mut j) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while j < s.len() {
        match p.get(i) {
            Some('*') => {
                star = Some((i, j));
                i += 1;
            }
            Some(c) if *c == '?' || Some(c) == s.get(j) => {
                i += 1;
                j += 1;
            }
            _ => match star {
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

/// `$((…))`: whole numbers, `+ - * / %`, comparisons, parentheses, variables.
fn arithmetic(sh: &Shell, s: &str) -> Result<i64, String> {
    struct P<'a> {
        sh: &'a Shell,
        tokens: Vec<String>,
        at: usize,
        depth: u32,
    }
    impl P<'_> {
        fn binary(&mut self, level: usize) -> Option<i64> {
            const LEVELS: &[&[&str]] = &[
                &["||"],
                &["&&"],
                &["==", "!="],
                &["<=", ">=", "<", ">"],
                &["+", "-"],
                &["*", "/", "%"],
            ];
            let Some(ops) = LEVELS.get(level) else { return self.unary() };
            let mut left = self.binary(level + 1)?;
            while let Some(op) = self.tokens.get(self.at).filter(|t| ops.contains(&t.as_str())) {
                let op = op.clone();
                self.at += 1;
                let right = self.binary(level + 1)?;
                left = match op.as_str() {
                    "||" => i64::from(left != 0 || right != 0),
                    "&&" => i64::from(left != 0 && right != 0),
                    "==" => i64::from(left == right),
                    "!=" => i64::from(left != right),
                    "<=" => i64::from(left <= right),
                    ">=" => i64::from(left >= right),
                    "<" => i64::from(left < right),
                    ">" => i64::from(left > right),
                    "+" => left.wrapping_add(right),
                    "-" => left.wrapping_sub(right),
                    "*" => left.wrapping_mul(right),
                    "/" => left.checked_div(right)?,
                    _ => left.checked_rem(right)?,
                };
            }
            Some(left)
        }

        fn unary(&mut self) -> Option<i64> {
            self.depth += 1;
            if self.depth > 200 {
                return None;
            }
            let token = self.tokens.get(self.at)?.clone();
            self.at += 1;
            match token.as_str() {
                "-" => Some(self.unary()?.wrapping_neg()),
                "+" => self.unary(),
                "!" => Some(i64::from(self.unary()? == 0)),
                "(" => {
                    let v = self.binary(0)?;
                    let closed = self.tokens.get(self.at).is_some_and(|t| t == ")");
                    self.at += 1;
                    closed.then_some(v)
                }
                t if t.starts_with(|c: char| c.is_ascii_digit()) => t.parse().ok(),
                t => Some(self.sh.var(t).and_then(|v| v.trim().parse().ok()).unwrap_or(0)),
            }
        }
    }
    let bad = || format!("{s}: syntax error: operand expected (error token is \"{s}\")");
    let mut tokens = Vec::new();
    let mut rest = s.trim_start();
    while !rest.is_empty() {
        let two = ["||", "&&", "==", "!=", "<=", ">="].into_iter().find(|t| rest.starts_with(t));
        let n = match (two, rest.chars().next()) {
            (Some(_), _) => 2,
            (None, Some(c)) if "+-*/%<>()!".contains(c) => 1,
            (None, Some(c)) if c.is_ascii_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            _ => return Err(bad()),
        };
        let (token, tail) = rest.split_at(n);
        tokens.push(token.to_owned());
        rest = tail.trim_start();
    }
    if tokens.is_empty() {
        return Ok(0);
    }
    let mut p = P { sh, tokens, at: 0, depth: 0 };
    let v = p.binary(0).ok_or_else(bad)?;
    if p.at == p.tokens.len() { Ok(v) } else { Err(bad()) }
}
