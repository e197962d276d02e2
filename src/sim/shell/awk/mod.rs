//! awk: what is typed to pick columns: `pattern { print … }`, `BEGIN`, `END`, `if`, sums, arrays
//! and `for (k in array)`.

mod parser;

use crate::collections::BTreeMap;

use crate::shell::pattern::Pattern;
use parser::Parser;

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
    /// A variable, `$n` or `array[key]` gets a value.
    Assign(Box<Expr>, Box<Expr>),
    /// `array[key]`.
    Item(String, Box<Expr>),
    /// `length(x)`, `toupper(x)`, …
    Call(String, Vec<Expr>),
}

#[derive(Debug, Clone)]
enum Act {
    Print(Vec<Expr>),
    Printf(Vec<Expr>),
    Do(Expr),
    If(Expr, Vec<Self>, Vec<Self>),
    /// `for (key in array)`.
    Each(String, String, Vec<Self>),
    /// The next line, from the first rule on.
    Next,
    Exit,
}

/// Does a rule go on?
#[derive(Clone, Copy, PartialEq)]
enum Goes {
    On,
    Next,
    Exit,
}

/// Between an array's name and a key in the name of a variable.
const ITEM: char = '\u{1c}';

#[derive(Debug, Clone)]
enum When {
    Begin,
    End,
    Always,
    If(Expr),
}

/// Runs a program over a text.
///
/// # Errors
/// What of it is not simulated.
pub fn run(program: &str, fs: Option<&str>, vars: &[(String, String)], t: &str) -> Parsed<String> {
    if program.len() > LONGEST {
        return Err("so long a program".to_owned());
    }
    let rules = Parser::new(program).rules()?;
    let mut m = Machine {
        fields: Vec::new(),
        vars: vars.iter().cloned().collect(),
        fs: fs.map(str::to_owned),
        out: String::new(),
    };
    m.vars.entry("NR".to_owned()).or_insert_with(|| "0".to_owned());
    m.vars.entry("OFS".to_owned()).or_insert_with(|| " ".to_owned());
    let mut goes = Goes::On;
    for (when, acts) in &rules {
        if matches!(when, When::Begin) && goes == Goes::On {
            goes = m.acts(acts)?;
        }
    }
    for (i, line) in t.lines().enumerate() {
        if goes == Goes::Exit {
            break;
        }
        m.vars.insert("NR".to_owned(), (i + 1).to_string());
        m.split(line);
        for (when, acts) in &rules {
            let yes = match when {
                When::Begin | When::End => false,
                When::Always => true,
                When::If(e) => truth(&m.value(e)?),
            };
            if yes {
                goes = m.acts(acts)?;
                if goes != Goes::On {
                    break;
                }
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

    fn acts(&mut self, acts: &[Act]) -> Parsed<Goes> {
        for act in acts {
            match act {
                Act::Next => return Ok(Goes::Next),
                Act::Exit => return Ok(Goes::Exit),
                Act::If(test, yes, no) => {
                    let branch = if truth(&self.value(test)?) { yes } else { no };
                    let goes = self.acts(branch)?;
                    if goes != Goes::On {
                        return Ok(goes);
                    }
                }
                Act::Each(key, array, body) => {
                    let prefix = format!("{array}{ITEM}");
                    let keys: Vec<String> = self
                        .vars
                        .keys()
                        .filter_map(|k| k.strip_prefix(&prefix).map(str::to_owned))
                        .collect();
                    for k in keys {
                        self.vars.insert(key.clone(), k);
                        let goes = self.acts(body)?;
                        if goes != Goes::On {
                            return Ok(goes);
                        }
                    }
                }
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
        Ok(Goes::On)
    }

    /// `$n = …`: the line is made anew of its fields.
    fn set_field(&mut self, n: usize, v: &str) -> Parsed<()> {
        /// Most fields of a line.
        const MOST: usize = 1000;
        if n == 0 {
            self.split(v);
            return Ok(());
        }
        if n > MOST {
            return Err("so many fields".to_owned());
        }
        if self.fields.len() <= n {
            self.fields.resize(n + 1, String::new());
        }
        if let Some(slot) = self.fields.get_mut(n) {
            v.clone_into(slot);
        }
        let ofs = self.vars.get("OFS").cloned().unwrap_or_default();
        let line = self.fields.get(1..).unwrap_or_default().join(&ofs);
        if let Some(whole) = self.fields.first_mut() {
            *whole = line;
        }
        self.vars.insert("NF".to_owned(), (self.fields.len() - 1).to_string());
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
            Expr::Item(name, key) => {
                let key = self.value(key)?;
                self.vars.get(&format!("{name}{ITEM}{key}")).cloned().unwrap_or_default()
            }
            Expr::Assign(to, e) => {
                let v = self.value(e)?;
                match &**to {
                    Expr::Var(name) => {
                        if name == "FS" {
                            self.fs = Some(v.clone());
                        }
                        self.vars.insert(name.clone(), v.clone());
                    }
                    Expr::Item(name, key) => {
                        let key = self.value(key)?;
                        self.vars.insert(format!("{name}{ITEM}{key}"), v.clone());
                    }
                    Expr::Field(n) => {
                        let n = number(&self.value(n)?);
                        self.set_field(n as usize, &v)?;
                    }
                    _ => return Err("this assignment".to_owned()),
                }
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
        assert_eq!(awk("NR==2{exit} {print $1}"), "NAME\n");
        assert_eq!(awk("NR==1{next} {$1=\"x\"; print}"), "x 1/1\nx 0/1\n");
        assert_eq!(awk("{if ($2 == \"1/1\") print $1; else print \"-\"}"), "-\nweb-0\n-\n");
        assert_eq!(awk("NR>1{n[$2]++} END{for (k in n) print k, n[k]}"), "0/1 1\n1/1 1\n");
        assert_eq!(awk("{$(NF+1)=NR} END{print}"), "web-1 0/1 3\n");
        assert!(run("{ while (x) print }", None, &[], t).is_err());
    }
}
