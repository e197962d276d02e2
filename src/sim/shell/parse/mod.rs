//! Shell text to commands: the part of POSIX `sh` that people type.

mod compound;
mod tree;
mod words;

use std::rc::Rc;

pub use tree::{Cond, Node, Part, Redirect, Word};

/// Why a text is no command.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// It goes on: a quote, loop or here-document is open; the text says which.
    Open(String),
    /// An unexpected word.
    Unexpected(String),
    /// Shell that is not simulated.
    NotSimulated(&'static str),
}

type Parsed<T> = Result<T, Problem>;

/// How deep commands may be nested.
const DEEPEST: u32 = 40;
/// How many commands `&&` and `||` may chain.
const LONGEST: u32 = 200;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    /// Here-documents whose text has not begun yet: delimiter, strip tabs, quoted, place.
    heres: Vec<(String, bool, bool)>,
    bodies: Vec<Word>,
}

/// Reads a whole text.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Parsed<Node> {
    let mut p = Parser { text, at: 0, depth: 0, heres: Vec::new(), bodies: Vec::new() };
    let node = p.list(&[])?;
    if p.at < text.len() {
        let word = p.peek_token();
        return Err(Problem::Unexpected(word));
    }
    if !p.heres.is_empty() {
        return Err(Problem::Open("here-document".to_owned()));
    }
    let mut bodies = p.bodies.into_iter();
    Ok(fill(node, &mut bodies))
}

/// Puts the texts of here-documents where they belong, in order.
fn fill(node: Node, bodies: &mut impl Iterator<Item = Word>) -> Node {
    fn redirects(list: Vec<Redirect>, bodies: &mut dyn Iterator<Item = Word>) -> Vec<Redirect> {
        list.into_iter()
            .map(|r| match r {
                Redirect::Here(w) if w.is_empty() => {
                    Redirect::Here(bodies.next().unwrap_or_default())
                }
                r => r,
            })
            .collect()
    }
    fn walk(node: &Rc<Node>, bodies: &mut dyn Iterator<Item = Word>) -> Rc<Node> {
        Rc::new(inner((**node).clone(), bodies))
    }
    fn inner(node: Node, bodies: &mut dyn Iterator<Item = Word>) -> Node {
        match node {
            Node::Simple { assign, words, redirects: r } => {
                Node::Simple { assign, words, redirects: redirects(r, bodies) }
            }
            Node::Pipe(list, not) => {
                Node::Pipe(list.iter().map(|n| walk(n, bodies)).collect(), not)
            }
            Node::AndOr(a, and, b) => {
                let a = walk(&a, bodies);
                Node::AndOr(a, and, walk(&b, bodies))
            }
            Node::List(list) => Node::List(list.iter().map(|n| walk(n, bodies)).collect()),
            Node::For(v, words, body) => Node::For(v, words, walk(&body, bodies)),
            Node::Count(three, body) => Node::Count(three, walk(&body, bodies)),
            Node::While(c, yes, body) => {
                let c = walk(&c, bodies);
                Node::While(c, yes, walk(&body, bodies))
            }
            Node::If(arms, other) => Node::If(
                arms.iter()
                    .map(|(c, b)| {
                        let c = walk(c, bodies);
                        (c, walk(b, bodies))
                    })
                    .collect(),
                other.map(|o| walk(&o, bodies)),
            ),
            Node::Case(word, arms) => Node::Case(
                word,
                arms.into_iter().map(|(p, body)| (p, walk(&body, bodies))).collect(),
            ),
            Node::Function(name, body) => Node::Function(name, walk(&body, bodies)),
            Node::Time(n) => Node::Time(walk(&n, bodies)),
            Node::Group(n, sub, r) => {
                let n = walk(&n, bodies);
                Node::Group(n, sub, redirects(r, bodies))
            }
            Node::Test(_) | Node::Arithmetic(_) => node,
        }
    }
    inner(node, bodies)
}

fn is_name(s: &str) -> bool {
    s.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn starts(&self, s: &str) -> bool {
        self.rest().starts_with(s)
    }

    fn take(&mut self, s: &str) -> bool {
        let yes = self.starts(s);
        if yes {
            self.at += s.len();
        }
        yes
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Blanks, continued lines, comments.
    fn blanks(&mut self) {
        loop {
            if self.take("\\\n") || self.take(" ") || self.take("\t") || self.take("\r") {
                continue;
            }
            if self.starts("#") {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.next();
                }
                continue;
            }
            return;
        }
    }

    /// Line ends and blanks; the texts of here-documents begin after a line end.
    fn newlines(&mut self) -> Parsed<()> {
        loop {
            self.blanks();
            if !self.take("\n") {
                return Ok(());
            }
            self.read_heres()?;
        }
    }

    fn read_heres(&mut self) -> Parsed<()> {
        for (end, strip, quoted) in std::mem::take(&mut self.heres) {
            let mut body = String::new();
            loop {
                if self.at >= self.text.len() {
                    return Err(Problem::Open("here-document".to_owned()));
                }
                let line_end = self.rest().find('\n').unwrap_or(self.rest().len());
                let line = self.rest().get(..line_end).unwrap_or("").to_owned();
                self.at = (self.at + line_end + 1).min(self.text.len());
                let line = if strip { line.trim_start_matches('\t') } else { line.as_str() };
                if line == end {
                    break;
                }
                body.push_str(line);
                body.push('\n');
            }
            let word = if quoted || body.is_empty() {
                vec![Part::Text(body)]
            } else {
                let mut inner = Parser {
                    text: &body,
                    at: 0,
                    depth: self.depth + 1,
                    heres: Vec::new(),
                    bodies: Vec::new(),
                };
                inner.double_quoted(true)?
            };
            self.bodies.push(word);
        }
        Ok(())
    }

    /// What stands here, for an error message.
    fn peek_token(&self) -> String {
        let rest = self.rest();
        for op in [";;", "&&", "||", "<<", ">>", ";", "&", "|", "(", ")", "<", ">"] {
            if rest.starts_with(op) {
                return op.to_owned();
            }
        }
        if rest.starts_with('\n') || rest.is_empty() {
            return "newline".to_owned();
        }
        rest.split(|c: char| c.is_whitespace() || ";&|()<>".contains(c))
            .next()
            .unwrap_or("")
            .to_owned()
    }

    /// The reserved word that stands here, if one does.
    fn reserved(&self) -> &'static str {
        let word = self.peek_token();
        [
            "then", "else", "elif", "fi", "do", "done", "}", "if", "for", "while", "until", "case",
            "esac", "function", "{", "!", "[[", "select", "time",
        ]
        .into_iter()
        .find(|r| *r == word)
        .unwrap_or("")
    }

    fn expect(&mut self, word: &'static str) -> Parsed<()> {
        self.newlines()?;
        if self.reserved() == word {
            self.at += word.len();
            return Ok(());
        }
        if self.rest().is_empty() {
            return Err(Problem::Open(word.to_owned()));
        }
        Err(Problem::Unexpected(self.peek_token()))
    }

    /// Commands up to one of the closing words or the end.
    fn list(&mut self, until: &[&str]) -> Parsed<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Problem::NotSimulated("commands nested so deeply"));
        }
        let mut items = Vec::new();
        loop {
            self.newlines()?;
            let word = self.reserved();
            let over = self.rest().is_empty() || self.starts(")") || until.contains(&word);
            if over || until.contains(&"esac") && self.starts(";;") {
                break;
            }
            items.push(Rc::new(self.and_or()?));
            self.blanks();
            if self.starts(";;") {
                if until.contains(&"esac") {
                    break;
                }
                return Err(Problem::Unexpected(";;".to_owned()));
            }
            if self.take(";") {
                continue;
            }
            if self.starts("&") {
                return Err(Problem::NotSimulated(
                    "commands in the background (&): use another terminal",
                ));
            }
            if !self.starts("\n") {
                break;
            }
        }
        self.depth -= 1;
        Ok(match items.len() {
            1 => (*items[0]).clone(),
            _ => Node::List(items),
        })
    }

    fn and_or(&mut self) -> Parsed<Node> {
        let mut left = self.pipe()?;
        // each step nests one deeper
        for _ in 0..LONGEST {
            self.blanks();
            let and = if self.take("&&") {
                true
            } else if self.take("||") {
                false
            } else {
                return Ok(left);
            };
            self.newlines()?;
            if self.rest().is_empty() {
                return Err(Problem::Open("command".to_owned()));
            }
            let right = self.pipe()?;
            left = Node::AndOr(Rc::new(left), and, Rc::new(right));
        }
        Err(Problem::NotSimulated("so long a chain of && and ||"))
    }

    fn pipe(&mut self) -> Parsed<Node> {
        self.blanks();
        if self.reserved() == "time" {
            self.at += 4;
            self.blanks();
            // `time -p` prints the same three figures
            if self.peek_token() == "-p" {
                self.at += 2;
            }
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(Problem::NotSimulated("commands nested so deeply"));
            }
            let timed = self.pipe()?;
            self.depth -= 1;
            return Ok(Node::Time(Rc::new(timed)));
        }
        let mut not = false;
        while self.reserved() == "!" {
            self.at += 1;
            self.blanks();
            not = !not;
        }
        let mut stages = vec![Rc::new(self.command()?)];
        loop {
            self.blanks();
            if self.starts("||") || !self.take("|") {
                break;
            }
            if self.take("&") {
                return Err(Problem::NotSimulated("|&"));
            }
            self.newlines()?;
            if self.rest().is_empty() {
                return Err(Problem::Open("command".to_owned()));
            }
            stages.push(Rc::new(self.command()?));
        }
        Ok(if stages.len() == 1 && !not { (*stages[0]).clone() } else { Node::Pipe(stages, not) })
    }

    fn command(&mut self) -> Parsed<Node> {
        self.blanks();
        let node = match self.reserved() {
            "if" => {
                self.at += 2;
                let mut arms = Vec::new();
                let mut other = None;
                loop {
                    let cond = self.block(&["then"])?;
                    self.expect("then")?;
                    let body = self.block(&["elif", "else", "fi"])?;
                    arms.push((Rc::new(cond), Rc::new(body)));
                    match self.reserved() {
                        "elif" => self.at += 4,
                        "else" => {
                            self.at += 4;
                            other = Some(Rc::new(self.block(&["fi"])?));
                            break;
                        }
                        _ => break,
                    }
                }
                self.expect("fi")?;
                Node::If(arms, other)
            }
            word @ ("while" | "until") => {
                self.at += 5;
                let cond = self.block(&["do"])?;
                self.expect("do")?;
                let body = self.block(&["done"])?;
                self.expect("done")?;
                Node::While(Rc::new(cond), word == "while", Rc::new(body))
            }
            "for" => self.for_loop()?,
            "{" => {
                self.at += 1;
                let body = self.block(&["}"])?;
                self.expect("}")?;
                Node::Group(Rc::new(body), false, Vec::new())
            }
            "case" => self.case()?,
            "function" => return self.function(),
            "select" => return Err(Problem::NotSimulated("select")),
            "[[" => self.double_brackets()?,
            "" if self.starts("((") => self.double_parentheses()?,
            "" if self.starts("(") => {
                self.at += 1;
                let body = self.list(&[])?;
                self.newlines()?;
                if !self.take(")") {
                    return Err(if self.rest().is_empty() {
                        Problem::Open(")".to_owned())
                    } else {
                        Problem::Unexpected(self.peek_token())
                    });
                }
                Node::Group(Rc::new(body), true, Vec::new())
            }
            "" => return self.simple(),
            _ => return Err(Problem::Unexpected(self.peek_token())),
        };
        let mut redirects = Vec::new();
        loop {
            self.blanks();
            match self.redirect()? {
                Some(r) => redirects.push(r),
                None => break,
            }
        }
        Ok(match (node, redirects.is_empty()) {
            (node, true) => node,
            (Node::Group(n, sub, _), false) => Node::Group(n, sub, redirects),
            (node, false) => Node::Group(Rc::new(node), false, redirects),
        })
    }

    /// A list that must not be empty.
    fn block(&mut self, until: &[&'static str]) -> Parsed<Node> {
        let node = self.list(until)?;
        if matches!(&node, Node::List(l) if l.is_empty()) {
            return Err(if self.rest().is_empty() {
                Problem::Open(until.first().copied().unwrap_or("command").to_owned())
            } else {
                Problem::Unexpected(self.peek_token())
            });
        }
        Ok(node)
    }

    fn for_loop(&mut self) -> Parsed<Node> {
        self.at += 3;
        self.blanks();
        let name = self.peek_token();
        if self.starts("((") {
            return self.count_loop();
        }
        if !is_name(&name) {
            return Err(if self.rest().is_empty() {
                Problem::Open("for".to_owned())
            } else {
                Problem::Unexpected(name)
            });
        }
        self.at += name.len();
        self.newlines()?;
        let mut words = None;
        if self.peek_token() == "in" {
            self.at += 2;
            let mut list = Vec::new();
            loop {
                self.blanks();
                match self.peek() {
                    None | Some(';' | '\n') => break,
                    Some('&' | '|' | '(' | ')' | '<' | '>') => {
                        return Err(Problem::Unexpected(self.peek_token()));
                    }
                    Some(_) => list.push(self.braced_word()?),
                }
            }
            words = Some(list);
        }
        self.blanks();
        self.take(";");
        self.expect("do")?;
        let body = self.block(&["done"])?;
        self.expect("done")?;
        Ok(Node::For(name, words, Rc::new(body)))
    }

    fn simple(&mut self) -> Parsed<Node> {
        let mut assign = Vec::new();
        let mut words: Vec<Word> = Vec::new();
        let mut redirects = Vec::new();
        loop {
            self.blanks();
            if let Some(r) = self.redirect()? {
                redirects.push(r);
                continue;
            }
            match self.peek() {
                None | Some('\n' | ';' | '&' | '|' | ')') => break,
                Some('(') => {
                    if let ([word], true) = (words.as_slice(), assign.is_empty())
                        && let [Part::Text(name)] = word.as_slice()
                    {
                        let name = name.clone();
                        return self.function_body(name);
                    }
                    return Err(Problem::Unexpected("(".to_owned()));
                }
                Some(_) => {}
            }
            if words.is_empty()
                && let Some((name, _)) = self
                    .rest()
                    .split(|c: char| c.is_whitespace() || ";&|()<>'\"$".contains(c))
                    .next()
                    .and_then(|w| w.split_once('='))
                && is_name(name)
            {
                let name = name.to_owned();
                self.at += name.len() + 1;
                let value = match self.peek() {
                    None => Vec::new(),
                    Some(c) if c.is_whitespace() || ";&|".contains(c) => Vec::new(),
                    Some(_) => self.word()?,
                };
                assign.push((name, value));
                continue;
            }
            words.push(self.braced_word()?);
        }
        if words.is_empty() && assign.is_empty() && redirects.is_empty() {
            return Err(if self.rest().is_empty() {
                Problem::Open("command".to_owned())
            } else {
                Problem::Unexpected(self.peek_token())
            });
        }
        Ok(Node::Simple { assign, words, redirects })
    }

    fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let before = self.at;
        let fd = match self.peek() {
            Some(c @ '0'..='9') => {
                self.at += 1;
                Some(c as u8 - b'0')
            }
            _ => None,
        };
        let both = fd.is_none() && self.starts("&>");
        if !self.starts("<") && !self.starts(">") && !both {
            self.at = before;
            return Ok(None);
        }
        if self.take("&>") {
            let append = self.take(">");
            self.blanks();
            return Ok(Some(Redirect::To { fd: 3, append, file: self.word()? }));
        }
        if self.starts("<(") || self.starts(">(") {
            return Err(Problem::NotSimulated("process substitution"));
        }
        if self.take("<<<") {
            self.blanks();
            let mut word = self.word()?;
            word.push(Part::Text("\n".to_owned()));
            return Ok(Some(Redirect::Here(word)));
        }
        if self.take("<<") {
            let strip = self.take("-");
            self.blanks();
            let start = self.at;
            let word = self.word()?;
            let raw = self.text.get(start..self.at).unwrap_or("");
            let quoted = raw.contains(['\'', '"', '\\']);
            let end: String = word
                .iter()
                .map(|p| match p {
                    Part::Text(t) => t.as_str(),
                    _ => "",
                })
                .collect();
            self.heres.push((end, strip, quoted));
            return Ok(Some(Redirect::Here(Vec::new())));
        }
        if self.take("<") {
            if self.starts("&") {
                return Err(Problem::NotSimulated("<&"));
            }
            self.blanks();
            if self.starts("<(") {
                return Err(Problem::NotSimulated("process substitution"));
            }
            return Ok(Some(Redirect::From(self.word()?)));
        }
        self.at += 1;
        let fd = fd.unwrap_or(1);
        let append = self.take(">");
        if !append && self.take("&") {
            return match self.next() {
                Some(c @ '1'..='2') => Ok(Some(Redirect::Copy(fd, c as u8 - b'0'))),
                Some('-') => {
                    let null = vec![Part::Text("/dev/null".to_owned())];
                    Ok(Some(Redirect::To { fd, append: false, file: null }))
                }
                _ => Err(Problem::NotSimulated("this redirection")),
            };
        }
        self.take("|");
        self.blanks();
        Ok(Some(Redirect::To { fd, append, file: self.word()? }))
    }
}

#[cfg(test)]
mod tests;
