//! Go templates, as far as tutorials use them with `-o go-template` and `--template`:
//! fields, variables, range, if, with, pipelines, index, printf, len, comparisons.

use crate::value::Value;

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Print(Pipe),
    If(Pipe, Vec<Node>, Vec<Node>),
    Range(Pipe, Vec<Node>, Vec<Node>),
    With(Pipe, Vec<Node>, Vec<Node>),
}

/// `$a, $b := cmd | cmd`
#[derive(Clone, Debug)]
struct Pipe {
    vars: Vec<String>,
    commands: Vec<Vec<Arg>>,
}

#[derive(Clone, Debug)]
enum Arg {
    Dot,
    Field(Vec<String>),
    Var(String, Vec<String>),
    Const(Value),
    Call(String),
    Group(Box<Pipe>, Vec<String>),
}

/// A template, taken apart.
#[derive(Clone, Debug)]
pub struct Template(Vec<Node>);

type Vars = Vec<(String, Value)>;

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(source: &str) -> Result<Self, String> {
        let mut p = Parser { rest: source };
        let (nodes, end) = p.nodes()?;
        match end {
            Stop::Text => Ok(Self(nodes)),
            Stop::End => Err("unexpected {{end}}".into()),
            Stop::Else(_) => Err("unexpected {{else}}".into()),
        }
    }

    /// Fills it.
    ///
    /// # Errors
    /// What could not be evaluated.
    pub fn fill(&self, root: &Value) -> Result<String, String> {
        let mut out = String::new();
        let mut vars = vec![("$".to_owned(), root.clone())];
        run(&self.0, root, &mut vars, &mut out)?;
        Ok(out)
    }
}

/// What ended a run of nodes.
enum Stop {
    Text,
    End,
    Else(Option<String>),
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn nodes(&mut self) -> Result<(Vec<Node>, Stop), String> {
        let mut nodes = Vec::new();
        loop {
            let Some(open) = self.rest.find("{{") else {
                if !self.rest.is_empty() {
                    nodes.push(Node::Text(std::mem::take(&mut self.rest).to_owned()));
                }
                return Ok((nodes, Stop::Text));
            };
            let mut before = &self.rest[..open];
            self.rest = &self.rest[open + 2..];
            let close = self.rest.find("}}").ok_or("unclosed action")?;
            let mut action = &self.rest[..close];
            self.rest = &self.rest[close + 2..];
            if let Some(a) = action.strip_prefix("- ") {
                action = a;
                before = before.trim_end();
            }
            if let Some(a) = action.strip_suffix(" -") {
                action = a;
                self.rest = self.rest.trim_start();
            }
            if !before.is_empty() {
                nodes.push(Node::Text(before.to_owned()));
            }
            let action = action.trim();
            let (word, tail) = action.split_once(' ').unwrap_or((action, ""));
            match word {
                "end" => return Ok((nodes, Stop::End)),
                "else" => {
                    let cond = tail.trim().strip_prefix("if ").map(str::to_owned);
                    return Ok((nodes, Stop::Else(cond)));
                }
                "if" | "range" | "with" => {
                    let pipe = pipe(tail)?;
                    let (body, other) = self.branches()?;
                    nodes.push(match word {
                        "if" => Node::If(pipe, body, other),
                        "range" => Node::Range(pipe, body, other),
                        _ => Node::With(pipe, body, other),
                    });
                }
                _ if action.starts_with("/*") => {}
                _ => nodes.push(Node::Print(pipe(action)?)),
            }
        }
    }

    fn branches(&mut self) -> Result<(Vec<Node>, Vec<Node>), String> {
        let (body, end) = self.nodes()?;
        match end {
            Stop::End => Ok((body, Vec::new())),
            Stop::Text => Err("unexpected EOF".into()),
            Stop::Else(None) => {
                let (other, end) = self.nodes()?;
                match end {
                    Stop::End => Ok((body, other)),
                    _ => Err("unexpected EOF".into()),
                }
            }
            Stop::Else(Some(cond)) => {
                let pipe = pipe(&cond)?;
                let (inner, other) = self.branches()?;
                Ok((body, vec![Node::If(pipe, inner, other)]))
            }
        }
    }
}

/// Words, strings, parentheses and bars of an action.
fn tokens(s: &str) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut chars = s.char_indices().peekable();
    while let Some(&(i, c)) = chars.peek() {
        match c {
            ' ' | '\t' | '\n' => {
                chars.next();
            }
            '|' | '(' | ',' => {
                out.push(c.to_string());
                chars.next();
            }
            ')' => {
                chars.next();
                // fields may follow a group
                let rest = &s[i + 1..];
                let end = rest.find(|c: char| " |)(\t".contains(c)).unwrap_or(rest.len());
                out.push(format!("){}", &rest[..end]));
                for _ in rest[..end].chars() {
                    chars.next();
                }
            }
            '"' | '`' | '\'' => {
                let mut escaped = false;
                chars.next();
                let mut end = None;
                for (j, d) in chars.by_ref() {
                    if escaped {
                        escaped = false;
                    } else if d == '\\' && c != '`' {
                        escaped = true;
                    } else if d == c {
                        end = Some(j);
                        break;
                    }
                }
                let end = end.ok_or("unterminated quoted string")?;
                out.push(s[i..=end].to_owned());
            }
            ':' => {
                out.push(":=".into());
                chars.next();
                chars.next();
            }
            _ => {
                let rest = &s[i..];
                let end = rest.find(|c: char| " |()\t,:".contains(c)).unwrap_or(rest.len());
                out.push(rest[..end].to_owned());
                for _ in rest[..end].chars() {
                    chars.next();
                }
            }
        }
    }
    Ok(out)
}

fn pipe(s: &str) -> Result<Pipe, String> {
    let tokens = tokens(s)?;
    let mut at = 0;
    let p = pipe_of(&tokens, &mut at)?;
    if at < tokens.len() { Err(format!("unexpected {:?} in operand", tokens[at])) } else { Ok(p) }
}

fn pipe_of(tokens: &[String], at: &mut usize) -> Result<Pipe, String> {
    let mut vars = Vec::new();
    if let Some(assign) = tokens.iter().position(|t| t == ":=").filter(|_| *at == 0) {
        vars = tokens[..assign].iter().filter(|t| *t != ",").cloned().collect();
        *at = assign + 1;
    }
    let mut commands = Vec::new();
    let mut command = Vec::new();
    while let Some(t) = tokens.get(*at) {
        if t.starts_with(')') {
            break;
        }
        *at += 1;
        match t.as_str() {
            "|" => commands.push(std::mem::take(&mut command)),
            "(" => {
                let inner = {
                    let mut sub = *at;
                    let group = pipe_inner(tokens, &mut sub)?;
                    *at = sub;
                    group
                };
                let close = tokens.get(*at).ok_or("unclosed left paren")?;
                *at += 1;
                command.push(Arg::Group(Box::new(inner), fields(&close[1..])));
            }
            t => command.push(arg(t)?),
        }
    }
    if command.is_empty() {
        return Err("missing value for command".into());
    }
    commands.push(command);
    Ok(Pipe { vars, commands })
}

fn pipe_inner(tokens: &[String], at: &mut usize) -> Result<Pipe, String> {
    let mut relative = 1;
    // a group declares no variables: begin past zero so that `:=` is not looked for
    let slice = &tokens[*at - 1..];
    let p = pipe_of(slice, &mut relative)?;
    *at = *at - 1 + relative;
    Ok(p)
}

fn fields(s: &str) -> Vec<String> {
    s.split('.').filter(|f| !f.is_empty()).map(str::to_owned).collect()
}

fn arg(t: &str) -> Result<Arg, String> {
    let unquoted = |t: &str| {
        let inner = &t[1..t.len() - 1];
        if t.starts_with('`') {
            return inner.to_owned();
        }
        inner.replace("\\n", "\n").replace("\\t", "\t").replace("\\\"", "\"").replace("\\\\", "\\")
    };
    Ok(match t {
        "." => Arg::Dot,
        "true" | "false" => Arg::Const(Value::Bool(t == "true")),
        "nil" => Arg::Const(Value::Null),
        _ if t.starts_with(['"', '`', '\'']) => Arg::Const(unquoted(t).into()),
        _ if t.starts_with('.') => Arg::Field(fields(t)),
        _ if t.starts_with('$') => {
            let (name, rest) = t.split_once('.').unwrap_or((t, ""));
            Arg::Var(name.to_owned(), fields(rest))
        }
        _ => match t.parse::<i64>() {
            Ok(n) => Arg::Const(Value::Int(n)),
            Err(_) if FUNCTIONS.contains(&t) => Arg::Call(t.to_owned()),
            Err(_) if NOT_SIMULATED.contains(&t) => {
                return Err(format!("not simulated: template function {t}"));
            }
            Err(_) => return Err(format!("function {t:?} not defined")),
        },
    })
}

/// What Go's templates have beyond that.
const NOT_SIMULATED: &[&str] = &[
    "slice", "html", "js", "urlquery", "call", "define", "template", "block", "break", "continue",
];

const FUNCTIONS: &[&str] = &[
    "index",
    "printf",
    "print",
    "println",
    "len",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "and",
    "or",
    "not",
    "exists",
    "base64decode",
];

/// `None` stands for Go's "no value".
type Got = Option<Value>;

/// Follows fields from what `name` stands for; only a map has fields, and nothing has none.
fn path(name: &str, from: Got, fields: &[String]) -> Result<Got, String> {
    let mut v = from;
    for f in fields {
        v = match v {
            Some(Value::Map(m)) => m.get(f).cloned(),
            None | Some(Value::Null) => None,
            Some(_) => {
                return Err(format!(
                    "executing \"output\" at <{name}.{}>: can't evaluate field {f} in type interface {{}}",
                    fields.join(".")
                ));
            }
        };
    }
    Ok(v)
}

fn value_of(a: &Arg, dot: &Value, vars: &Vars) -> Result<Got, String> {
    Ok(match a {
        Arg::Dot => Some(dot.clone()),
        Arg::Field(f) => path("", Some(dot.clone()), f)?,
        Arg::Var(name, f) => {
            let v = vars.iter().rev().find(|(n, _)| n == name);
            let v = v.ok_or_else(|| format!("undefined variable {name:?}"))?;
            path(name, Some(v.1.clone()), f)?
        }
        Arg::Const(v) => Some(v.clone()),
        Arg::Group(p, f) => path("", evaluate(p, dot, vars)?, f)?,
        Arg::Call(name) => call(name, &[])?,
    })
}

fn evaluate(p: &Pipe, dot: &Value, vars: &Vars) -> Result<Got, String> {
    let mut last: Option<Got> = None;
    for command in &p.commands {
        let mut args: Vec<Got> = Vec::new();
        let skip = usize::from(matches!(command.first(), Some(Arg::Call(_))));
        for a in &command[skip..] {
            args.push(value_of(a, dot, vars)?);
        }
        args.extend(last.take());
        last = Some(match command.first() {
            Some(Arg::Call(name)) => call(name, &args)?,
            _ => args.into_iter().next().flatten(),
        });
    }
    Ok(last.flatten())
}

fn shown(v: &Got) -> String {
    match v {
        None | Some(Value::Null) => "<no value>".into(),
        Some(Value::Str(s)) => s.to_string(),
        Some(Value::List(l)) => {
            let items: Vec<String> = l.iter().map(|v| shown(&Some(v.clone()))).collect();
            format!("[{}]", items.join(" "))
        }
        Some(Value::Map(m)) => {
            let items: Vec<String> =
                m.iter().map(|(k, v)| format!("{k}:{}", shown(&Some(v.clone())))).collect();
            format!("map[{}]", items.join(" "))
        }
        Some(other) => other.to_string(),
    }
}

fn truth(v: &Got) -> bool {
    v.as_ref().is_some_and(|v| !v.is_empty())
}

fn call(name: &str, args: &[Got]) -> Result<Got, String> {
    let yes = |b: bool| Ok(Some(Value::Bool(b)));
    let order = || match (args.first().cloned().flatten(), args.get(1).cloned().flatten()) {
        (Some(Value::Int(a)), Some(Value::Int(b))) => Some(a.cmp(&b)),
        (Some(Value::Str(a)), Some(Value::Str(b))) => Some(a.cmp(&b)),
        _ => None,
    };
    match name {
        "index" => {
            let mut v = args.first().cloned().flatten();
            for key in args.iter().skip(1) {
                v = match (v, key) {
                    (Some(Value::Map(m)), Some(Value::Str(k))) => m.get(k).cloned(),
                    (Some(Value::List(l)), Some(Value::Int(i))) => {
                        let found = usize::try_from(*i).ok().and_then(|i| l.get(i).cloned());
                        Some(found.ok_or_else(|| {
                            format!("error calling index: reflect: slice index out of range: {i}")
                        })?)
                    }
                    _ => None,
                };
            }
            Ok(v)
        }
        "len" => Ok(Some(Value::Int(match args.first().cloned().flatten() {
            Some(Value::Str(s)) => s.len() as i64,
            Some(v) => v.len() as i64,
            None => return Err("error calling len: len of nil pointer".into()),
        }))),
        "print" | "println" => {
            let all: Vec<String> = args.iter().map(shown).collect();
            let text = if name == "println" { all.join(" ") + "\n" } else { all.concat() };
            Ok(Some(text.into()))
        }
        "printf" => Ok(Some(printf(args).into())),
        "eq" => yes(args.iter().skip(1).any(|a| *a == args[0])),
        "ne" => yes(args.first() != args.get(1)),
        "lt" => yes(order() == Some(std::cmp::Ordering::Less)),
        "gt" => yes(order() == Some(std::cmp::Ordering::Greater)),
        "le" => yes(order().is_some_and(|o| o != std::cmp::Ordering::Greater)),
        "ge" => yes(order().is_some_and(|o| o != std::cmp::Ordering::Less)),
        "not" => yes(!args.first().is_some_and(truth)),
        "and" => Ok(args.iter().find(|a| !truth(a)).or(args.last()).cloned().flatten()),
        "or" => Ok(args.iter().find(|a| truth(a)).or(args.last()).cloned().flatten()),
        "exists" => {
            let mut v = args.first().cloned().flatten();
            for key in args.iter().skip(1) {
                v = match (v, key) {
                    (Some(v), Some(Value::Str(k))) => v.as_map().and_then(|m| m.get(k).cloned()),
                    _ => None,
                };
            }
            yes(v.is_some())
        }
        "base64decode" => {
            let coded = args.first().map(shown).unwrap_or_default();
            if let Some(at) = crate::base64::bad_byte(&coded) {
                return Err(format!(
                    "error calling base64decode: base64 decode failed: illegal base64 data at input byte {at}"
                ));
            }
            let bytes = crate::base64::decode(&coded).unwrap_or_default();
            Ok(Some(String::from_utf8_lossy(&bytes).into_owned().into()))
        }
        other => Err(format!("not simulated: template function {other}")),
    }
}

fn printf(args: &[Got]) -> String {
    let format = args.first().map(shown).unwrap_or_default();
    let mut rest = args.iter().skip(1);
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut width = String::new();
        let verb = loop {
            match chars.next() {
                Some(d) if d.is_ascii_digit() || d == '-' => width.push(d),
                other => break other,
            }
        };
        match verb {
            Some('%') | None => out.push('%'),
            Some(v) => {
                let arg = rest.next().map_or_else(|| format!("%!{v}(MISSING)"), shown);
                let arg = if v == 'q' { format!("{arg:?}") } else { arg };
                let n = width.trim_start_matches('-').parse().unwrap_or(0);
                if width.starts_with('-') {
                    out.push_str(&format!("{arg:<n$}"));
                } else {
                    out.push_str(&format!("{arg:>n$}"));
                }
            }
        }
    }
    out
}

fn run(nodes: &[Node], dot: &Value, vars: &mut Vars, out: &mut String) -> Result<(), String> {
    for node in nodes {
        match node {
            Node::Text(t) => out.push_str(t),
            Node::Print(p) => {
                let v = evaluate(p, dot, vars)?;
                match p.vars.first() {
                    Some(name) => vars.push((name.clone(), v.unwrap_or_default())),
                    None => out.push_str(&shown(&v)),
                }
            }
            Node::If(p, body, other) => {
                let v = evaluate(p, dot, vars)?;
                scoped(vars, |vars| run(if truth(&v) { body } else { other }, dot, vars, out))?;
            }
            Node::With(p, body, other) => {
                let v = evaluate(p, dot, vars)?;
                scoped(vars, |vars| match v {
                    Some(v) if !v.is_empty() => run(body, &v, vars, out),
                    _ => run(other, dot, vars, out),
                })?;
            }
            Node::Range(p, body, other) => {
                let v = evaluate(p, dot, vars)?.unwrap_or_default();
                let items: Vec<(Value, Value)> = match &v {
                    Value::List(l) => l
                        .iter()
                        .enumerate()
                        .map(|(i, v)| (Value::Int(i as i64), v.clone()))
                        .collect(),
                    Value::Map(m) => m.iter().map(|(k, v)| (k.into(), v.clone())).collect(),
                    _ => Vec::new(),
                };
                if items.is_empty() {
                    scoped(vars, |vars| run(other, dot, vars, out))?;
                }
                for (key, item) in items {
                    scoped(vars, |vars| {
                        match p.vars.as_slice() {
                            [one] => vars.push((one.clone(), item.clone())),
                            [k, v] => {
                                vars.push((k.clone(), key.clone()));
                                vars.push((v.clone(), item.clone()));
                            }
                            _ => {}
                        }
                        run(body, &item, vars, out)
                    })?;
                }
            }
        }
    }
    Ok(())
}

fn scoped<R>(vars: &mut Vars, f: impl FnOnce(&mut Vars) -> R) -> R {
    let depth = vars.len();
    let result = f(vars);
    vars.truncate(depth);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn templates() {
        let v = value!({
            "metadata": {"name": "web-0", "labels": {"a.b/c": "x"}},
            "spec": {"containers": [{"image": "i:1"}, {"image": "i:2"}], "n": 2}
        });
        for (t, want) in [
            ("{{range $i, $c := .spec.containers}}{{$c.image}} {{end}}", "i:1 i:2 "),
            ("{{.metadata.name}}", "web-0"),
            ("{{.metadata.nope}}", "<no value>"),
            ("{{index .metadata.labels \"a.b/c\"}}", "x"),
            ("{{if eq .spec.n 2}}two{{else}}other{{end}}", "two"),
            ("{{len .spec.containers}}", "2"),
            ("{{range .spec.containers}}{{.image}}{{\"\\n\"}}{{end}}", "i:1\ni:2\n"),
            ("{{printf \"%s-%d\" .metadata.name .spec.n}}", "web-0-2"),
            ("{{(index .spec.containers 1).image}}", "i:2"),
            ("{{with .spec}}{{.n}}{{end}}", "2"),
            ("{{.metadata.name | printf \"<%s>\"}}", "<web-0>"),
        ] {
            assert_eq!(Template::parse(t).and_then(|x| x.fill(&v)).unwrap(), want, "{t}");
        }
        assert!(Template::parse("{{range .x}}").is_err());
        assert!(Template::parse("{{foo}}").is_err());
    }
}
