//! Text of a filter to its operations.

use super::{Op, Parsed, num};
use crate::value::Value;

pub(super) struct Parser {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    pub(super) depth: u32,
}

impl Parser {
    pub(super) fn peek(&mut self) -> Option<char> {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.chars.get(self.at).copied()
    }

    pub(super) fn odd(&self) -> String {
        let rest: String = self.chars.iter().skip(self.at).take(20).collect();
        format!("syntax error, unexpected {rest:?} (or not simulated)")
    }

    fn take(&mut self, s: &str) -> bool {
        self.peek();
        let yes = s.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c));
        if yes {
            self.at += s.chars().count();
        }
        yes
    }

    fn word(&mut self) -> String {
        let mut s = String::new();
        while let Some(c) = self
            .chars
            .get(self.at)
            .filter(|c| c.is_ascii_alphanumeric() || **c == '_' || s.is_empty() && **c == '@')
        {
            s.push(*c);
            self.at += 1;
        }
        s
    }

    /// Takes a whole word.
    fn keyword(&mut self, word: &str) -> bool {
        self.peek();
        let before = self.at;
        if self.word() == word {
            return true;
        }
        self.at = before;
        false
    }

    pub(super) fn pipe(&mut self) -> Parsed<Op> {
        self.depth += 1;
        if self.depth > 100 {
            return Err("not simulated: so deep a filter".to_owned());
        }
        let left = self.comma()?;
        let op = if self.peek() == Some('|') && self.take("|") {
            Op::Pipe(Box::new(left), Box::new(self.pipe()?))
        } else {
            left
        };
        self.depth -= 1;
        Ok(op)
    }

    fn comma(&mut self) -> Parsed<Op> {
        let mut left = self.binary(0)?;
        while self.take(",") {
            left = Op::Both(Box::new(left), Box::new(self.binary(0)?));
        }
        Ok(left)
    }

    fn binary(&mut self, level: usize) -> Parsed<Op> {
        const LEVELS: &[&[&str]] = &[
            &["//"],
            &["or"],
            &["and"],
            &["==", "!=", "<=", ">=", "<", ">"],
            &["+", "-"],
            &["*", "/", "%"],
        ];
        let Some(ops) = LEVELS.get(level) else { return self.postfix() };
        let mut left = self.binary(level + 1)?;
        'more: loop {
            for op in *ops {
                let hit = if op.starts_with(|c: char| c.is_alphabetic()) {
                    self.keyword(op)
                } else {
                    self.peek();
                    // a / of its own, not half of //
                    let double = *op == "/" && self.chars.get(self.at + 1) == Some(&'/');
                    !double && self.take(op)
                };
                if hit {
                    let right = self.binary(level + 1)?;
                    left = Op::Binary(op, Box::new(left), Box::new(right));
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    fn postfix(&mut self) -> Parsed<Op> {
        let mut op = self.primary()?;
        loop {
            match self.peek() {
                Some('.') => {
                    self.at += 1;
                    let key = match self.peek() {
                        Some('"') => self.string()?,
                        Some('[') => continue,
                        _ => {
                            let word = self.word();
                            if word.is_empty() {
                                return Err(self.odd());
                            }
                            Op::Literal(word.into())
                        }
                    };
                    let quiet = self.take("?");
                    op = Op::Field(Box::new(op), Box::new(key), quiet);
                }
                Some('[') => {
                    self.at += 1;
                    op = self.bracket(op)?;
                }
                Some('?') => self.at += 1,
                _ => return Ok(op),
            }
        }
    }

    fn bracket(&mut self, base: Op) -> Parsed<Op> {
        if self.take("]") {
            let quiet = self.take("?");
            return Ok(Op::Each(Box::new(base), quiet));
        }
        let first = if self.peek() == Some(':') { None } else { Some(Box::new(self.pipe()?)) };
        if self.take(":") {
            let second = if self.peek() == Some(']') { None } else { Some(Box::new(self.pipe()?)) };
            if !self.take("]") {
                return Err(self.odd());
            }
            return Ok(Op::Slice(Box::new(base), first, second));
        }
        if !self.take("]") {
            return Err(self.odd());
        }
        let quiet = self.take("?");
        match first {
            Some(first) => Ok(Op::Field(Box::new(base), first, quiet)),
            None => Err(self.odd()),
        }
    }

    fn string(&mut self) -> Parsed<Op> {
        self.at += 1;
        let mut parts = Vec::new();
        let mut s = String::new();
        loop {
            let Some(c) = self.chars.get(self.at).copied() else {
                return Err("syntax error, unexpected end of text".to_owned());
            };
            self.at += 1;
            match c {
                '"' => break,
                '\\' => {
                    let c = self.chars.get(self.at).copied();
                    self.at += 1;
                    match c {
                        Some('n') => s.push('\n'),
                        Some('t') => s.push('\t'),
                        Some('(') => {
                            parts.push(Op::Literal(std::mem::take(&mut s).into()));
                            parts.push(self.pipe()?);
                            if !self.take(")") {
                                return Err(self.odd());
                            }
                        }
                        Some(c) => s.push(c),
                        None => return Err("syntax error, unexpected end of text".to_owned()),
                    }
                }
                c => s.push(c),
            }
        }
        if parts.is_empty() {
            return Ok(Op::Literal(s.into()));
        }
        parts.push(Op::Literal(s.into()));
        Ok(Op::Text(parts))
    }

    fn primary(&mut self) -> Parsed<Op> {
        match self.peek() {
            Some('.') => {
                self.at += 1;
                match self.chars.get(self.at).copied() {
                    Some('.') => Err("not simulated: ..".to_owned()),
                    Some(c) if c == '"' || c.is_ascii_alphabetic() || c == '_' => {
                        self.at -= 1;
                        // .name is a field of this
                        self.at += 1;
                        let key =
                            if c == '"' { self.string()? } else { Op::Literal(self.word().into()) };
                        let quiet = self.take("?");
                        Ok(Op::Field(Box::new(Op::This), Box::new(key), quiet))
                    }
                    _ => Ok(Op::This),
                }
            }
            Some('"') => self.string(),
            Some('(') => {
                self.at += 1;
                let op = self.pipe()?;
                if self.take(")") { Ok(op) } else { Err(self.odd()) }
            }
            Some('[') => {
                self.at += 1;
                if self.take("]") {
                    return Ok(Op::List(None));
                }
                let op = self.pipe()?;
                if self.take("]") { Ok(Op::List(Some(Box::new(op)))) } else { Err(self.odd()) }
            }
            Some('{') => self.object(),
            Some('-') => {
                self.at += 1;
                Ok(Op::Neg(Box::new(self.postfix()?)))
            }
            Some(c) if c.is_ascii_digit() => {
                let mut s = String::new();
                while let Some(c) =
                    self.chars.get(self.at).filter(|c| c.is_ascii_digit() || **c == '.')
                {
                    s.push(*c);
                    self.at += 1;
                }
                Ok(Op::Literal(num(s.parse().unwrap_or(0.0))))
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' || c == '@' => {
                let word = self.word();
                match word.as_str() {
                    "true" => return Ok(Op::Literal(true.into())),
                    "false" => return Ok(Op::Literal(false.into())),
                    "null" => return Ok(Op::Literal(Value::Null)),
                    "if" => return self.condition(),
                    "reduce" | "foreach" | "def" | "try" | "label" => {
                        return Err(format!("not simulated: {word}"));
                    }
                    _ => {}
                }
                let mut args = Vec::new();
                if self.chars.get(self.at) == Some(&'(') {
                    self.at += 1;
                    loop {
                        args.push(self.pipe()?);
                        if self.take(")") {
                            break;
                        }
                        if !self.take(";") {
                            return Err(self.odd());
                        }
                    }
                }
                Ok(Op::Call(word, args))
            }
            _ => Err(self.odd()),
        }
    }

    fn condition(&mut self) -> Parsed<Op> {
        let c = self.pipe()?;
        if !self.keyword("then") {
            return Err(self.odd());
        }
        let yes = self.pipe()?;
        let no = if self.keyword("elif") {
            return Ok(Op::If(Box::new(c), Box::new(yes), Some(Box::new(self.condition()?))));
        } else if self.keyword("else") {
            Some(Box::new(self.pipe()?))
        } else {
            None
        };
        if !self.keyword("end") {
            return Err(self.odd());
        }
        Ok(Op::If(Box::new(c), Box::new(yes), no))
    }

    fn object(&mut self) -> Parsed<Op> {
        self.at += 1;
        let mut pairs = Vec::new();
        while !self.take("}") {
            let key = match self.peek() {
                Some('"') => self.string()?,
                Some('(') => self.primary()?,
                _ => {
                    let word = self.word();
                    if word.is_empty() {
                        return Err(self.odd());
                    }
                    Op::Literal(word.into())
                }
            };
            let value = if self.take(":") {
                self.binary(0)?
            } else {
                Op::Field(Box::new(Op::This), Box::new(key.clone()), false)
            };
            pairs.push((key, value));
            if !self.take(",") && self.peek() != Some('}') {
                return Err(self.odd());
            }
        }
        Ok(Op::Object(pairs))
    }
}
