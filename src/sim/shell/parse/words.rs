//! Words: quotes, variables, `$(…)`, `$((…))`.

use std::rc::Rc;

use super::{DEEPEST, Parsed, Parser, Part, Problem, Word, parse};

impl Parser<'_> {
    /// One word.
    pub(super) fn word(&mut self) -> Parsed<Word> {
        let mut word = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | '\r' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\'' => {
                    self.next();
                    let Some(end) = self.rest().find('\'') else {
                        return Err(Problem::Open("'".to_owned()));
                    };
                    let t = self.rest().get(..end).unwrap_or("").to_owned();
                    self.at += end + 1;
                    word.push(Part::Text(t));
                }
                '"' => {
                    self.next();
                    word.append(&mut self.double_quoted(false)?);
                }
                '\\' => {
                    self.next();
                    match self.next() {
                        Some('\n') => {}
                        Some(c) => word.push(Part::Text(c.to_string())),
                        None => return Err(Problem::Open("\\".to_owned())),
                    }
                }
                '$' => word.push(self.dollar(false)?),
                '`' => word.push(self.backquoted(false)?),
                '*' | '?' | '[' => {
                    self.next();
                    word.push(Part::Glob(c));
                }
                c => {
                    self.next();
                    match word.last_mut() {
                        Some(Part::Text(t)) => t.push(c),
                        _ => word.push(Part::Text(c.to_string())),
                    }
                }
            }
        }
        if word.is_empty() {
            return Err(if self.rest().is_empty() {
                Problem::Unexpected("newline".to_owned())
            } else {
                Problem::Unexpected(self.peek_token())
            });
        }
        Ok(word)
    }

    /// A word whose braces bash takes apart: `web-{0,1}`, `{1..3}`.
    pub(super) fn braced_word(&mut self) -> Parsed<Word> {
        let start = self.at;
        let word = self.word()?;
        let raw = self.text.get(start..self.at).unwrap_or("");
        // not beside substitutions: each of them runs once
        if !raw.contains('{') || raw.contains(['$', '`', '\'', '"', '\\']) {
            return Ok(word);
        }
        let mut list = Vec::new();
        braces(raw, 0, &mut list);
        if list.len() == 1 {
            return Ok(word);
        }
        let list = list
            .iter()
            .map(|text| {
                let mut p = Parser {
                    text,
                    at: 0,
                    depth: self.depth,
                    heres: Vec::new(),
                    bodies: Vec::new(),
                };
                if text.is_empty() { Ok(Vec::new()) } else { p.word() }
            })
            .collect::<Parsed<Vec<Word>>>()?;
        Ok(vec![Part::Braces(word, list)])
    }

    /// The inside of double quotes, or of a here-document up to the end of the text.
    pub(super) fn double_quoted(&mut self, here: bool) -> Parsed<Word> {
        let mut word = vec![Part::Text(String::new())];
        loop {
            let Some(c) = self.peek() else {
                if here {
                    return Ok(word);
                }
                return Err(Problem::Open("\"".to_owned()));
            };
            match c {
                '"' if !here => {
                    self.next();
                    return Ok(word);
                }
                '$' => word.push(self.dollar(true)?),
                '`' => word.push(self.backquoted(true)?),
                '\\' => {
                    self.next();
                    let c = self.next();
                    let text = match c {
                        Some('\n') => String::new(),
                        Some(c @ ('$' | '`' | '\\')) => c.to_string(),
                        Some('"') if !here => "\"".to_owned(),
                        Some(c) => format!("\\{c}"),
                        None => "\\".to_owned(),
                    };
                    word.push(Part::Text(text));
                }
                c => {
                    self.next();
                    match word.last_mut() {
                        Some(Part::Text(t)) => t.push(c),
                        _ => word.push(Part::Text(c.to_string())),
                    }
                }
            }
        }
    }

    fn backquoted(&mut self, quoted: bool) -> Parsed<Part> {
        self.next();
        let Some(end) = self.rest().find('`') else { return Err(Problem::Open("`".to_owned())) };
        let inner = self.rest().get(..end).unwrap_or("").to_owned();
        self.at += end + 1;
        if self.depth > DEEPEST {
            return Err(Problem::NotSimulated("commands nested so deeply"));
        }
        Ok(Part::Command { node: Rc::new(parse(&inner)?), quoted })
    }

    /// An expression up to its `))`; none if it ends otherwise.
    pub(super) fn arithmetic(&mut self, open: &str) -> Parsed<Option<Word>> {
        self.take(open);
        let mut depth = 0;
        let mut end = None;
        for (i, c) in self.rest().char_indices() {
            match c {
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                ')' => {
                    end = Some(i);
                    break;
                }
                _ => {}
            }
        }
        let Some(end) = end else { return Err(Problem::Open("))".to_owned())) };
        let inner = self.rest().get(..end).unwrap_or("").to_owned();
        self.at += end;
        if !self.take("))") {
            return Ok(None);
        }
        let mut p = Parser {
            text: &inner,
            at: 0,
            depth: self.depth + 1,
            heres: Vec::new(),
            bodies: Vec::new(),
        };
        if p.depth > DEEPEST {
            return Err(Problem::NotSimulated("commands nested so deeply"));
        }
        Ok(Some(p.double_quoted(true)?))
    }

    pub(super) fn dollar(&mut self, quoted: bool) -> Parsed<Part> {
        self.next();
        if !quoted && self.take("'") {
            // $'a\n': escapes are taken
            let mut raw = String::new();
            loop {
                match self.next() {
                    None => return Err(Problem::Open("'".to_owned())),
                    Some('\'') => break,
                    Some('\\') if self.take("'") => raw.push('\''),
                    Some('\\') => {
                        raw.push('\\');
                        raw.extend(self.next());
                    }
                    Some(c) => raw.push(c),
                }
            }
            return Ok(Part::Text(crate::shell::commands::unescape(&raw)));
        }
        if self.starts("((") {
            return match self.arithmetic("((")? {
                Some(word) => Ok(Part::Arithmetic(word)),
                None => Err(Problem::NotSimulated("this $((…))")),
            };
        }
        if self.take("(") {
            let node = self.list(&[])?;
            self.newlines()?;
            if !self.take(")") {
                return Err(if self.rest().is_empty() {
                    Problem::Open(")".to_owned())
                } else {
                    Problem::Unexpected(self.peek_token())
                });
            }
            return Ok(Part::Command { node: Rc::new(node), quoted });
        }
        if self.take("{") {
            // ${#name}: its length
            let counts = self.starts("#")
                && self.rest().get(1..).is_some_and(|r| r.starts_with(|c: char| c != '}'));
            if counts {
                self.at += 1;
            }
            let length = self.rest().find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let mut n = length.unwrap_or(self.rest().len());
            if n == 0 {
                n = self.peek().filter(|c| "?#@*$!".contains(*c)).map_or(0, char::len_utf8);
            } else if self.rest().get(n..).is_some_and(|r| r.starts_with('[')) {
                // one place of an array: ${BASH_REMATCH[1]}
                n = self.rest().find(']').map_or(n, |end| end + 1);
            }
            let name = self.rest().get(..n).unwrap_or("").to_owned();
            self.at += n;
            if self.take("}") && !name.is_empty() {
                let or = counts.then(|| ("length".to_owned(), Word::new()));
                return Ok(Part::Var { name, or, quoted });
            }
            if counts {
                return Err(Problem::NotSimulated("this ${…}"));
            }
            let op = [":-", ":+", ":=", ":?", "-", "+", "=", "?", "##", "#", "%%", "%", "//", "/"]
                .into_iter()
                .find(|op| self.starts(op));
            let Some(op) = op.filter(|_| !name.is_empty()) else {
                return Err(if self.rest().contains('}') {
                    Problem::NotSimulated("this ${…}")
                } else {
                    Problem::Open("}".to_owned())
                });
            };
            self.at += op.len();
            let Some(end) = self.rest().find('}') else {
                return Err(Problem::Open("}".to_owned()));
            };
            let inner = self.rest().get(..end).unwrap_or("").to_owned();
            self.at += end + 1;
            let mut p = Parser {
                text: &inner,
                at: 0,
                depth: self.depth + 1,
                heres: Vec::new(),
                bodies: Vec::new(),
            };
            let word = p.double_quoted(true)?;
            return Ok(Part::Var { name, or: Some((op.to_owned(), word)), quoted });
        }
        let rest = self.rest();
        let n = match rest.chars().next() {
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            Some(c) if c.is_ascii_digit() || "?#@*$!".contains(c) => 1,
            _ => return Ok(Part::Text("$".to_owned())),
        };
        let name = rest.get(..n).unwrap_or("").to_owned();
        self.at += n;
        Ok(Part::Var { name, or: None, quoted })
    }
}

/// The words that bash makes of one with braces; the word itself if they are none.
fn braces(word: &str, depth: u32, out: &mut Vec<String>) {
    /// How many words one may become.
    const MOST: usize = 1000;
    let mut from = 0;
    while let Some(open) = word.get(from..).and_then(|w| w.find('{')).map(|i| i + from) {
        // its own closing brace, and the commas between them
        let mut level = 0;
        let mut cuts = vec![open];
        let mut close = None;
        for (i, c) in word.char_indices().skip_while(|(i, _)| *i < open) {
            match c {
                '{' => level += 1,
                '}' if level == 1 => {
                    close = Some(i);
                    break;
                }
                '}' => level -= 1,
                ',' if level == 1 => cuts.push(i),
                _ => {}
            }
        }
        let Some(close) = close else { break };
        cuts.push(close);
        let inside = word.get(open + 1..close).unwrap_or("");
        let parts: Vec<String> = if cuts.len() > 2 {
            cuts.windows(2).map(|w| word.get(w[0] + 1..w[1]).unwrap_or("").to_owned()).collect()
        } else {
            range(inside)
        };
        if parts.is_empty() {
            from = open + 1;
            continue;
        }
        let (head, tail) = (&word[..open], &word[close + 1..]);
        for part in parts {
            if out.len() >= MOST || depth > 8 {
                return;
            }
            braces(&format!("{head}{part}{tail}"), depth + 1, out);
        }
        return;
    }
    out.push(word.to_owned());
}

/// `1..3`, `0..10..5`, `a..c`.
fn range(inside: &str) -> Vec<String> {
    let ends: Vec<&str> = inside.split("..").collect();
    let (first, last, step) = match ends.as_slice() {
        [a, b] => (*a, *b, 1),
        [a, b, s] => (*a, *b, s.parse::<i64>().map_or(1, |n| n.saturating_abs().max(1))),
        _ => return Vec::new(),
    };
    let letter = |s: &str| {
        let mut chars = s.chars();
        chars.next().filter(|c| chars.next().is_none() && c.is_ascii_alphabetic())
    };
    let number = |s: &str| s.parse::<i64>().ok();
    let (a, b, letters) = match (number(first), number(last), letter(first), letter(last)) {
        (Some(a), Some(b), ..) => (a, b, false),
        (_, _, Some(a), Some(b)) => (i64::from(a as u32), i64::from(b as u32), true),
        _ => return Vec::new(),
    };
    let wide = if first.starts_with('0') && first.len() > 1 { first.len() } else { 0 };
    let mut out = Vec::new();
    let mut n = a;
    while out.len() < 1000 && (a <= b && n <= b || a > b && n >= b) {
        out.push(match u32::try_from(n).ok().and_then(char::from_u32).filter(|_| letters) {
            Some(c) => c.to_string(),
            None => format!("{n:0wide$}"),
        });
        n = if a <= b { n.saturating_add(step) } else { n.saturating_sub(step) };
    }
    out
}
