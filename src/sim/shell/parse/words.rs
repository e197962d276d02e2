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

    fn dollar(&mut self, quoted: bool) -> Parsed<Part> {
        self.next();
        if self.take("((") {
            // an expression, unless it does not end in ))
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
                return Err(Problem::NotSimulated("this $((…))"));
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
            return Ok(Part::Arithmetic(p.double_quoted(true)?));
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
            let length = self.rest().find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let mut n = length.unwrap_or(self.rest().len());
            if n == 0 {
                n = self.peek().filter(|c| "?#@*".contains(*c)).map_or(0, char::len_utf8);
            }
            let name = self.rest().get(..n).unwrap_or("").to_owned();
            self.at += n;
            if self.take("}") && !name.is_empty() {
                return Ok(Part::Var { name, or: None, quoted });
            }
            let op = [":-", ":+", ":=", "-", "+", "=", "##", "#", "%%", "%"]
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
