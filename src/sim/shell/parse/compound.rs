//! Compound commands that scripts use: `case`, functions, `[[ … ]]`, `(( … ))`.

use std::rc::Rc;

use super::tree::Cond;
use super::{DEEPEST, Node, Parsed, Parser, Part, Problem, Word, is_name};

impl Parser<'_> {
    /// `case word in pattern) …;; esac`.
    pub(super) fn case(&mut self) -> Parsed<Node> {
        self.at += 4;
        self.blanks();
        let word = self.word()?;
        self.newlines()?;
        if self.peek_token() != "in" {
            return Err(self.stray("in"));
        }
        self.at += 2;
        let mut arms = Vec::new();
        loop {
            self.newlines()?;
            if self.reserved() == "esac" {
                self.at += 4;
                return Ok(Node::Case(word, arms));
            }
            if self.rest().is_empty() {
                return Err(Problem::Open("esac".to_owned()));
            }
            self.take("(");
            let mut patterns = Vec::new();
            loop {
                self.blanks();
                patterns.push(self.word()?);
                self.blanks();
                if self.take("|") {
                    continue;
                }
                if !self.take(")") {
                    return Err(self.stray(")"));
                }
                break;
            }
            let body = self.list(&["esac"])?;
            arms.push((patterns, Rc::new(body)));
            self.newlines()?;
            if self.starts(";;&") || self.starts(";&") {
                return Err(Problem::NotSimulated(";& in case"));
            }
            if !self.take(";;") && self.reserved() != "esac" {
                return Err(self.stray("esac"));
            }
        }
    }

    /// `((first; test; step)); do …; done` after `for`.
    pub(super) fn count_loop(&mut self) -> Parsed<Node> {
        self.at += 2;
        let Some(end) = self.rest().find("))") else {
            return Err(Problem::Open("))".to_owned()));
        };
        let inside = self.rest().get(..end).unwrap_or("").to_owned();
        self.at += end + 2;
        let mut three = [(); 3].map(|()| Rc::new(Node::List(Vec::new())));
        let mut parts = inside.split(';');
        for slot in &mut three {
            let text = parts.next().unwrap_or("").trim();
            if !text.is_empty() {
                let mut p = Parser {
                    text,
                    at: 0,
                    depth: self.depth + 1,
                    heres: Vec::new(),
                    bodies: Vec::new(),
                };
                *slot = Rc::new(Node::Arithmetic(p.double_quoted(true)?));
            }
        }
        if parts.next().is_some() || inside.matches(';').count() != 2 {
            return Err(Problem::Unexpected("((".to_owned()));
        }
        self.blanks();
        self.take(";");
        self.expect("do")?;
        let body = self.block(&["done"])?;
        self.expect("done")?;
        Ok(Node::Count(three, Rc::new(body)))
    }

    /// What is wrong when `wanted` does not stand here.
    fn stray(&self, wanted: &str) -> Problem {
        if self.rest().is_empty() {
            Problem::Open(wanted.to_owned())
        } else {
            Problem::Unexpected(self.peek_token())
        }
    }

    /// `function name { …; }`.
    pub(super) fn function(&mut self) -> Parsed<Node> {
        self.at += "function".len();
        self.blanks();
        let name = self.peek_token();
        if name.is_empty() || !is_name(&name.replace('-', "_")) {
            return Err(self.stray("function"));
        }
        self.at += name.len();
        self.blanks();
        if self.starts("(") {
            return self.function_body(name);
        }
        self.newlines()?;
        self.body(name)
    }

    /// `() { …; }` after a function's name.
    pub(super) fn function_body(&mut self, name: String) -> Parsed<Node> {
        self.take("(");
        self.blanks();
        if !self.take(")") {
            return Err(self.stray(")"));
        }
        self.newlines()?;
        self.body(name)
    }

    fn body(&mut self, name: String) -> Parsed<Node> {
        if self.rest().is_empty() {
            return Err(Problem::Open("function".to_owned()));
        }
        if self.reserved() != "{" && !self.starts("(") {
            return Err(Problem::Unexpected(self.peek_token()));
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Problem::NotSimulated("commands nested so deeply"));
        }
        let body = self.command()?;
        self.depth -= 1;
        Ok(Node::Function(name, Rc::new(body)))
    }

    /// `(( … ))`, from its first parenthesis.
    pub(super) fn double_parentheses(&mut self) -> Parsed<Node> {
        match self.arithmetic("((")? {
            Some(word) => Ok(Node::Arithmetic(word)),
            None => Err(Problem::NotSimulated("this (( … ))")),
        }
    }

    /// `[[ … ]]`.
    pub(super) fn double_brackets(&mut self) -> Parsed<Node> {
        self.at += 2;
        let cond = self.either()?;
        self.newlines()?;
        if self.peek_token() != "]]" {
            return Err(self.stray("]]"));
        }
        self.at += 2;
        Ok(Node::Test(cond))
    }

    fn either(&mut self) -> Parsed<Cond> {
        let mut left = self.all()?;
        loop {
            self.newlines()?;
            if !self.take("||") {
                return Ok(left);
            }
            left = Cond::Both(Box::new(left), false, Box::new(self.all()?));
        }
    }

    fn all(&mut self) -> Parsed<Cond> {
        let mut left = self.one()?;
        loop {
            self.newlines()?;
            if !self.take("&&") {
                return Ok(left);
            }
            left = Cond::Both(Box::new(left), true, Box::new(self.one()?));
        }
    }

    fn one(&mut self) -> Parsed<Cond> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Problem::NotSimulated("conditions nested so deeply"));
        }
        self.newlines()?;
        let found = if self.peek_token() == "!" {
            self.at += 1;
            Cond::Not(Box::new(self.one()?))
        } else if self.take("(") {
            let inner = self.either()?;
            self.newlines()?;
            if !self.take(")") {
                return Err(self.stray(")"));
            }
            inner
        } else {
            self.plain()?
        };
        self.depth -= 1;
        Ok(found)
    }

    fn plain(&mut self) -> Parsed<Cond> {
        let mut words: Vec<Word> = Vec::new();
        loop {
            self.blanks();
            match self.peek() {
                None => return Err(Problem::Open("]]".to_owned())),
                Some(c @ ('<' | '>')) if words.len() == 1 => {
                    self.at += 1;
                    words.push(vec![Part::Text(c.to_string())]);
                }
                Some('\n' | ')' | '&' | '|' | ';' | '<' | '>' | '(') => break,
                Some(_) if self.peek_token() == "]]" => break,
                Some(_) if self.starts("=~") && words.len() == 1 => {
                    self.at += 2;
                    words.push(vec![Part::Text("=~".to_owned())]);
                    self.blanks();
                    let pattern = self.expression()?;
                    words.push(pattern);
                }
                Some(_) => {
                    let word = self.word()?;
                    words.push(word);
                }
            }
        }
        if words.is_empty() || words.len() > 3 {
            return Err(self.stray("]]"));
        }
        Ok(Cond::Plain(words))
    }

    /// A regular expression after `=~`: it goes to the next blank; what is quoted stands for
    /// itself.
    fn expression(&mut self) -> Parsed<Word> {
        fn literal(word: &mut Word, c: char) {
            let special = "\\^$.[]|()*+?{}".contains(c);
            word.push(Part::Text(if special { format!("\\{c}") } else { c.to_string() }));
        }
        let mut word = Word::new();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | '\r' => break,
                '$' => match self.dollar(false)? {
                    // the anchor
                    Part::Text(t) => word.push(Part::Text(t)),
                    part => word.push(part),
                },
                '\'' | '"' => {
                    self.next();
                    let parts = if c == '"' {
                        self.double_quoted(false)?
                    } else {
                        let Some(end) = self.rest().find('\'') else {
                            return Err(Problem::Open("'".to_owned()));
                        };
                        let t = self.rest().get(..end).unwrap_or("").to_owned();
                        self.at += end + 1;
                        vec![Part::Text(t)]
                    };
                    for part in parts {
                        match part {
                            Part::Text(t) => t.chars().for_each(|c| literal(&mut word, c)),
                            part => word.push(part),
                        }
                    }
                }
                '\\' => {
                    self.next();
                    if let Some(c) = self.next() {
                        literal(&mut word, c);
                    }
                }
                c => {
                    self.next();
                    word.push(Part::Text(c.to_string()));
                }
            }
        }
        if word.is_empty() {
            return Err(self.stray("]]"));
        }
        Ok(word)
    }
}
