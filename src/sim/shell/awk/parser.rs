//! awk's programs: rules, statements, expressions.

use super::{Act, DEEPEST, Expr, Parsed, When};
use crate::shell::pattern::Pattern;

pub(super) struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: u32,
}

impl Parser {
    /// A parser at the beginning of a program.
    pub(super) fn new(program: &str) -> Self {
        Self { chars: program.chars().collect(), at: 0, depth: 0 }
    }

    fn space(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.space();
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, s: &str) -> bool {
        self.space();
        let yes = s.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c));
        if yes {
            self.at += s.chars().count();
        }
        yes
    }

    fn name(&mut self) -> String {
        self.space();
        let mut s = String::new();
        while let Some(c) =
            self.chars.get(self.at).filter(|c| c.is_ascii_alphanumeric() || **c == '_')
        {
            if s.is_empty() && c.is_ascii_digit() {
                break;
            }
            s.push(*c);
            self.at += 1;
        }
        s
    }

    /// All rules of the program.
    pub(super) fn rules(&mut self) -> Parsed<Vec<(When, Vec<Act>)>> {
        let mut rules = Vec::new();
        while self.peek().is_some() {
            if self.take(";") {
                continue;
            }
            let before = self.at;
            let when = match self.name().as_str() {
                "BEGIN" => When::Begin,
                "END" => When::End,
                _ => {
                    self.at = before;
                    if self.peek() == Some('{') { When::Always } else { When::If(self.expr(0)?) }
                }
            };
            let acts =
                if self.peek() == Some('{') { self.block()? } else { vec![Act::Print(Vec::new())] };
            rules.push((when, acts));
        }
        Ok(rules)
    }

    /// `{ … }`, or one statement.
    fn block(&mut self) -> Parsed<Vec<Act>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("so deep a program".to_owned());
        }
        let mut acts = Vec::new();
        if self.take("{") {
            loop {
                if self.take("}") {
                    break;
                }
                if self.take(";") {
                    continue;
                }
                if self.peek().is_none() {
                    return Err("a program whose { is never closed".to_owned());
                }
                acts.push(self.act()?);
            }
        } else {
            acts.push(self.act()?);
        }
        self.depth -= 1;
        Ok(acts)
    }

    /// The rest of `if (…) … else …`.
    fn branches(&mut self) -> Parsed<Act> {
        if !self.take("(") {
            return Err("if without (".to_owned());
        }
        let test = self.expr(0)?;
        if !self.take(")") {
            return Err("a ( that is never closed".to_owned());
        }
        let yes = self.block()?;
        let before = self.at;
        while self.take(";") {}
        if self.name() == "else" {
            return Ok(Act::If(test, yes, self.block()?));
        }
        self.at = before;
        Ok(Act::If(test, yes, Vec::new()))
    }

    /// The rest of `for (key in array) …`.
    fn each(&mut self) -> Parsed<Act> {
        let open = self.take("(");
        let key = self.name();
        let word = self.name();
        let array = self.name();
        if !open || key.is_empty() || word != "in" || array.is_empty() || !self.take(")") {
            return Err("this for in awk".to_owned());
        }
        Ok(Act::Each(key, array, self.block()?))
    }

    fn act(&mut self) -> Parsed<Act> {
        let before = self.at;
        let name = self.name();
        match name.as_str() {
            "print" | "printf" => {
                let mut list = Vec::new();
                let parens = name == "printf" && self.take("(");
                while !matches!(self.peek(), None | Some(';' | '}' | ')')) {
                    list.push(self.expr(0)?);
                    if !self.take(",") {
                        break;
                    }
                }
                if parens {
                    self.take(")");
                }
                if self.peek() == Some('>') || self.peek() == Some('|') {
                    return Err("output to files".to_owned());
                }
                Ok(if name == "print" { Act::Print(list) } else { Act::Printf(list) })
            }
            "next" => Ok(Act::Next),
            "exit" => Ok(Act::Exit),
            "if" => self.branches(),
            "for" => self.each(),
            "while" | "do" | "getline" | "delete" | "function" => Err(format!("{name} in awk")),
            _ => {
                self.at = before;
                Ok(Act::Do(self.expr(0)?))
            }
        }
    }

    fn expr(&mut self, level: usize) -> Parsed<Expr> {
        const LEVELS: &[&[&str]] = &[
            &["||"],
            &["&&"],
            &["!~", "~"],
            &["==", "!=", "<=", ">=", "<", ">"],
            &[" "],
            &["+", "-"],
            &["*", "/", "%"],
        ];
        let Some(ops) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.expr(level + 1)?;
        'more: loop {
            for op in *ops {
                if *op == " " {
                    let starts = self.peek().is_some_and(|c| {
                        c == '"' || c == '$' || c == '(' || c.is_ascii_alphanumeric() || c == '_'
                    });
                    if starts {
                        let right = self.expr(level + 1)?;
                        left = Expr::Binary(op, Box::new(left), Box::new(right));
                        continue 'more;
                    }
                } else if self.take(op) {
                    let right = self.expr(level + 1)?;
                    left = Expr::Binary(op, Box::new(left), Box::new(right));
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("so deep an expression".to_owned());
        }
        let e = self.operand();
        self.depth -= 1;
        e
    }

    fn operand(&mut self) -> Parsed<Expr> {
        let Some(c) = self.peek() else { return Err("a program that ends early".to_owned()) };
        match c {
            '!' => {
                self.at += 1;
                Ok(Expr::Not(Box::new(self.unary()?)))
            }
            '-' => {
                self.at += 1;
                let e = self.unary()?;
                Ok(Expr::Binary("-", Box::new(Expr::Number(0.0)), Box::new(e)))
            }
            '$' => {
                self.at += 1;
                let n = self.index()?;
                self.assigned(Expr::Field(Box::new(n)))
            }
            '(' => {
                self.at += 1;
                let e = self.expr(0)?;
                if self.take(")") { Ok(e) } else { Err("a ( that is never closed".to_owned()) }
            }
            '"' => {
                self.at += 1;
                let mut s = String::new();
                while let Some(c) = self.chars.get(self.at).copied() {
                    self.at += 1;
                    match c {
                        '"' => return Ok(Expr::Text(crate::shell::commands::unescape(&s))),
                        '\\' => {
                            s.push('\\');
                            s.extend(self.chars.get(self.at));
                            self.at += 1;
                        }
                        c => s.push(c),
                    }
                }
                Err("a text that is never closed".to_owned())
            }
            '/' => {
                self.at += 1;
                let mut s = String::new();
                while let Some(c) = self.chars.get(self.at).copied() {
                    self.at += 1;
                    match c {
                        '/' => return Ok(Expr::Match(Pattern::new(&s, true, false)?)),
                        '\\' if self.chars.get(self.at) == Some(&'/') => {
                            s.push('/');
                            self.at += 1;
                        }
                        c => s.push(c),
                    }
                }
                Err("an expression that is never closed".to_owned())
            }
            c if c.is_ascii_digit() => {
                let mut s = String::new();
                while let Some(c) =
                    self.chars.get(self.at).filter(|c| c.is_ascii_digit() || **c == '.')
                {
                    s.push(*c);
                    self.at += 1;
                }
                Ok(Expr::Number(s.parse().unwrap_or(0.0)))
            }
            _ => {
                let name = self.name();
                if name.is_empty() {
                    return Err(format!("{c:?} in awk"));
                }
                if self.chars.get(self.at) == Some(&'(') {
                    self.at += 1;
                    let mut args = Vec::new();
                    while !self.take(")") {
                        args.push(self.expr(0)?);
                        if !self.take(",") && self.peek() != Some(')') {
                            return Err("a call that is never closed".to_owned());
                        }
                    }
                    return Ok(Expr::Call(name, args));
                }
                if name == "length" {
                    return Ok(Expr::Call(name, Vec::new()));
                }
                if self.chars.get(self.at) == Some(&'[') {
                    self.at += 1;
                    let key = self.expr(0)?;
                    if !self.take("]") {
                        return Err("a [ that is never closed".to_owned());
                    }
                    return self.assigned(Expr::Item(name, Box::new(key)));
                }
                self.assigned(Expr::Var(name))
            }
        }
    }

    /// What follows `$`: a number, a variable or parentheses, not what is done to the field.
    fn index(&mut self) -> Parsed<Expr> {
        let before = self.at;
        let name = self.name();
        if !name.is_empty() && !matches!(self.chars.get(self.at), Some('(' | '[')) {
            return Ok(Expr::Var(name));
        }
        self.at = before;
        self.unary()
    }

    /// A place, or what is done to it: `++`, `+=`, `=`.
    fn assigned(&mut self, place: Expr) -> Parsed<Expr> {
        let sum = |place: Expr, e: Expr| {
            let sum = Expr::Binary("+", Box::new(place.clone()), Box::new(e));
            Expr::Assign(Box::new(place), Box::new(sum))
        };
        if self.take("++") {
            return Ok(sum(place, Expr::Number(1.0)));
        }
        if self.take("+=") {
            let e = self.expr(0)?;
            return Ok(sum(place, e));
        }
        self.space();
        let next = (self.chars.get(self.at), self.chars.get(self.at + 1));
        if next.0 == Some(&'=') && next.1 != Some(&'=') {
            self.at += 1;
            let e = self.expr(0)?;
            return Ok(Expr::Assign(Box::new(place), Box::new(e)));
        }
        Ok(place)
    }
}
