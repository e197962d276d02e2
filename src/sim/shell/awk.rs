//! awk: what is typed to pick columns: `pattern { print … }`, `BEGIN`, `END`, sums.

use crate::collections::BTreeMap;

use crate::shell::pattern::Pattern;

type Parsed<T> = Result<T, String>;

/// Deepest nesting of an expression, and longest program in bytes.
const DEEPEST: u32 = 40;
const LONGEST: usize = 2000;

#[derive(Debug, Clone)]
enum Expr {
    Number(f64),
    Text(String),
    Match(Pattern),
    Field(Box<Expr>),
    Var(String),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Assign(String, Box<Expr>),
    /// `length(x)`, `toupper(x)`, …
    Call(String, Vec<Expr>),
}

#[derive(Debug, Clone)]
enum Act {
    Print(Vec<Expr>),
    Printf(Vec<Expr>),
    Do(Expr),
}

#[derive(Debug, Clone)]
enum When {
    Begin,
    End,
    Always,
    If(Expr),
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: u32,
}

/// Runs a program over a text.
///
/// # Errors
/// What of it is not simulated.
pub fn run(program: &str, fs: Option<&str>, vars: &[(String, String)], t: &str) -> Parsed<String> {
    if program.len() > LONGEST {
        return Err("so long a program".to_owned());
    }
    let mut p = Parser { chars: program.chars().collect(), at: 0, depth: 0 };
    let rules = p.rules()?;
    let mut m = Machine {
        fields: Vec::new(),
        vars: vars.iter().cloned().collect(),
        fs: fs.map(str::to_owned),
        out: String::new(),
    };
    m.vars.entry("NR".to_owned()).or_insert_with(|| "0".to_owned());
    m.vars.entry("OFS".to_owned()).or_insert_with(|| " ".to_owned());
    for (when, acts) in &rules {
        if matches!(when, When::Begin) {
            m.acts(acts)?;
        }
    }
    for (i, line) in t.lines().enumerate() {
        m.vars.insert("NR".to_owned(), (i + 1).to_string());
        m.split(line);
        for (when, acts) in &rules {
            let yes = match when {
                When::Begin | When::End => false,
                When::Always => true,
                When::If(e) => truth(&m.value(e)?),
            };
            if yes {
                m.acts(acts)?;
            }
        }
    }
    for (when, acts) in &rules {
        if matches!(when, When::End) {
            m.acts(acts)?;
        }
    }
    Ok(m.out)
}

fn truth(v: &str) -> bool {
    v.parse::<f64>().map_or(!v.is_empty(), |n| n != 0.0)
}

fn number(v: &str) -> f64 {
    let v = v.trim();
    let end = v
        .char_indices()
        .find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || *i == 0 && *c == '-'))
        .map_or(v.len(), |(i, _)| i);
    v.get(..end).and_then(|v| v.parse().ok()).unwrap_or(0.0)
}

fn show(n: f64) -> String {
    if n.fract() == 0.0 && n.abs() < 1e15 { format!("{}", n as i64) } else { format!("{n}") }
}

struct Machine {
    fields: Vec<String>,
    vars: BTreeMap<String, String>,
    fs: Option<String>,
    out: String,
}

impl Machine {
    fn split(&mut self, line: &str) {
        let parts: Vec<String> = match self.fs.as_deref() {
            None | Some(" ") => line.split_whitespace().map(str::to_owned).collect(),
            Some(fs)
                if fs.chars().count() == 1 && fs != "|" || !fs.contains(['[', '|', '+', '*']) =>
            {
                line.split(fs).map(str::to_owned).collect()
            }
            Some(fs) => match Pattern::new(fs, true, false) {
                Ok(p) => {
                    let chars: Vec<char> = line.chars().collect();
                    let mut out = Vec::new();
                    let mut from = 0;
                    while let Some((a, b, _)) = p.find(&chars, from).filter(|(a, b, _)| b > a) {
                        out.push(chars.get(from..a).unwrap_or_default().iter().collect());
                        from = b;
                    }
                    out.push(chars.get(from..).unwrap_or_default().iter().collect());
                    out
                }
                Err(_) => vec![line.to_owned()],
            },
        };
        self.vars.insert("NF".to_owned(), parts.len().to_string());
        self.fields = std::iter::once(line.to_owned()).chain(parts).collect();
    }

    fn acts(&mut self, acts: &[Act]) -> Parsed<()> {
        for act in acts {
            match act {
                Act::Print(list) if list.is_empty() => {
                    let line = self.fields.first().cloned().unwrap_or_default();
                    self.out.push_str(&line);
                    self.out.push('\n');
                }
                Act::Print(list) => {
                    let ofs = self.vars.get("OFS").cloned().unwrap_or_default();
                    let values: Vec<String> =
                        list.iter().map(|e| self.value(e)).collect::<Parsed<_>>()?;
                    self.out.push_str(&values.join(&ofs));
                    self.out.push('\n');
                }
                Act::Printf(list) => {
                    let mut values: Vec<String> =
                        list.iter().map(|e| self.value(e)).collect::<Parsed<_>>()?;
                    if values.is_empty() {
                        return Err("printf without a format".to_owned());
                    }
                    let format = values.remove(0);
                    let mut values = values.into_iter();
                    let mut chars = format.chars();
                    while let Some(c) = chars.next() {
                        if c != '%' {
                            self.out.push(c);
                            continue;
                        }
                        match chars.next() {
                            Some('%') => self.out.push('%'),
                            Some('d') => {
                                let n = number(&values.next().unwrap_or_default());
                                self.out.push_str(&show(n.trunc()));
                            }
                            Some('s') => self.out.push_str(&values.next().unwrap_or_default()),
                            _ => return Err("this printf format".to_owned()),
                        }
                    }
                }
                Act::Do(e) => {
                    self.value(e)?;
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, e: &Expr) -> Parsed<String> {
        let yes = |b: bool| if b { "1".to_owned() } else { "0".to_owned() };
        Ok(match e {
            Expr::Number(n) => show(*n),
            Expr::Text(t) => t.clone(),
            Expr::Match(p) => yes(p.matches(self.fields.first().map_or("", String::as_str))),
            Expr::Field(n) => {
                let n = number(&self.value(n)?);
                self.fields.get(n as usize).cloned().unwrap_or_default()
            }
            Expr::Var(name) => self.vars.get(name).cloned().unwrap_or_default(),
            Expr::Not(e) => yes(!truth(&self.value(e)?)),
            Expr::Assign(name, e) => {
                let v = self.value(e)?;
                if name == "FS" {
                    self.fs = Some(v.clone());
                }
                self.vars.insert(name.clone(), v.clone());
                v
            }
            Expr::Call(name, args) => {
                let arg = match args.first() {
                    Some(e) => self.value(e)?,
                    None => self.fields.first().cloned().unwrap_or_default(),
                };
                match name.as_str() {
                    "length" => arg.chars().count().to_string(),
                    "toupper" => arg.to_uppercase(),
                    "tolower" => arg.to_lowercase(),
                    "int" => show(number(&arg).trunc()),
                    "substr" => {
                        let from = match args.get(1) {
                            Some(e) => number(&self.value(e)?) as usize,
                            None => 1,
                        };
                        let n = match args.get(2) {
                            Some(e) => number(&self.value(e)?) as usize,
                            None => usize::MAX,
                        };
                        arg.chars().skip(from.max(1) - 1).take(n).collect()
                    }
                    other => return Err(format!("{other}()")),
                }
            }
            Expr::Binary(op, a, b) => {
                if *op == "&&" {
                    let a = truth(&self.value(a)?);
                    return Ok(yes(a && truth(&self.value(b)?)));
                }
                if *op == "||" {
                    let a = truth(&self.value(a)?);
                    return Ok(yes(a || truth(&self.value(b)?)));
                }
                let x = self.value(a)?;
                if let (Expr::Match(p), "~" | "!~") = (&**b, *op) {
                    return Ok(yes(p.matches(&x) == (*op == "~")));
                }
                let y = self.value(b)?;
                let numeric = x.trim().parse::<f64>().is_ok() && y.trim().parse::<f64>().is_ok();
                let order = if numeric {
                    number(&x).partial_cmp(&number(&y)).unwrap_or(std::cmp::Ordering::Equal)
                } else {
                    x.cmp(&y)
                };
                match *op {
                    " " => x + &y,
                    "==" => yes(order.is_eq()),
                    "!=" => yes(order.is_ne()),
                    "<" => yes(order.is_lt()),
                    "<=" => yes(order.is_le()),
                    ">" => yes(order.is_gt()),
                    ">=" => yes(order.is_ge()),
                    "+" => show(number(&x) + number(&y)),
                    "-" => show(number(&x) - number(&y)),
                    "*" => show(number(&x) * number(&y)),
                    "/" | "%" if number(&y) == 0.0 => return Err("division by zero".to_owned()),
                    "/" => show(number(&x) / number(&y)),
                    "%" => show(number(&x) % number(&y)),
                    "~" | "!~" => {
                        let p = Pattern::new(&y, true, false)?;
                        yes(p.matches(&x) == (*op == "~"))
                    }
                    _ => String::new(),
                }
            }
        })
    }
}

impl Parser {
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

    fn rules(&mut self) -> Parsed<Vec<(When, Vec<Act>)>> {
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
                acts.push(Act::Print(Vec::new()));
            }
            rules.push((when, acts));
        }
        Ok(rules)
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
            "if" | "for" | "while" | "next" | "exit" | "getline" | "delete" | "function" => {
                Err(format!("{name} in awk"))
            }
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
                Ok(Expr::Field(Box::new(self.unary()?)))
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
                        '"' => return Ok(Expr::Text(super::commands::unescape(&s))),
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
                let var = Expr::Var(name.clone());
                if self.take("++") {
                    let sum = Expr::Binary("+", Box::new(var), Box::new(Expr::Number(1.0)));
                    return Ok(Expr::Assign(name, Box::new(sum)));
                }
                if self.take("+=") {
                    let e = self.expr(0)?;
                    let sum = Expr::Binary("+", Box::new(var), Box::new(e));
                    return Ok(Expr::Assign(name, Box::new(sum)));
                }
                self.space();
                if self.chars.get(self.at) == Some(&'=')
                    && self.chars.get(self.at + 1) != Some(&'=')
                {
                    self.at += 1;
                    let e = self.expr(0)?;
                    return Ok(Expr::Assign(name, Box::new(e)));
                }
                Ok(var)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn programs() {
        let t = "NAME READY\nweb-0 1/1\nweb-1 0/1\n";
        let awk = |p: &str| run(p, None, &[], t).unwrap();
        assert_eq!(awk("{print $1}"), "NAME\nweb-0\nweb-1\n");
        assert_eq!(awk("NR>1{print $2, $1}"), "1/1 web-0\n0/1 web-1\n");
        assert_eq!(awk("$2==\"1/1\" {print $1 \"!\"}"), "web-0!\n");
        assert_eq!(awk("/web/{n++} END{print n}"), "2\n");
        assert_eq!(awk("$1 ~ /1$/"), "web-1 0/1\n");
        assert_eq!(run("{print $2}", Some("/"), &[], "a/b").unwrap(), "b\n");
        assert_eq!(awk("{s += NR} END{printf \"%d\\n\", s}"), "6\n");
        assert!(run("{ if (x) print }", None, &[], t).is_err());
    }
}
