//! jq: paths, `select`, comparisons, strings, arrays and objects, the common functions.

mod builtins;
mod parser;

use crate::kubectl::io::Io;
use crate::value::{Map, Value, text};
use builtins::{call, split};
use parser::Parser;

/// Options of jq.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Texts without quotes.
    pub raw: bool,
    /// One line a value.
    pub compact: bool,
    /// All inputs as one list.
    pub slurp: bool,
    /// The status tells of the last value.
    pub status: bool,
}

#[derive(Clone, Debug)]
enum Op {
    This,
    Literal(Value),
    Field(Box<Op>, Box<Op>, bool),
    Slice(Box<Op>, Option<Box<Op>>, Option<Box<Op>>),
    Each(Box<Op>, bool),
    Pipe(Box<Op>, Box<Op>),
    Both(Box<Op>, Box<Op>),
    Binary(&'static str, Box<Op>, Box<Op>),
    List(Option<Box<Op>>),
    Object(Vec<(Op, Op)>),
    Call(String, Vec<Op>),
    If(Box<Op>, Box<Op>, Option<Box<Op>>),
    Text(Vec<Op>),
    Neg(Box<Op>),
}

type Parsed<T> = Result<T, String>;

/// Longest filter, bytes.
const LONGEST: usize = 4000;
/// How many values a filter may make.
const MOST: usize = 200_000;

/// Runs a filter over JSON texts; gives the exit status.
pub fn run(filter: &str, input: &str, options: Options, io: &mut Io) -> i32 {
    if filter.len() > LONGEST {
        io.err("jq: error: not simulated: so long a filter");
        return 3;
    }
    let mut p = Parser { chars: filter.chars().collect(), at: 0, depth: 0 };
    let op = match p.pipe().and_then(|op| if p.peek().is_none() { Ok(op) } else { Err(p.odd()) }) {
        Ok(op) => op,
        Err(why) => {
            io.err(format!("jq: error: {why}"));
            return 3;
        }
    };
    let mut inputs = Vec::new();
    for v in serde_json::Deserializer::from_str(input).into_iter::<serde_json::Value>() {
        match v {
            Ok(v) => inputs.push(from_json(&v)),
            Err(e) => {
                io.err(format!(
                    "jq: parse error: Invalid JSON text at line {}, column {}",
                    e.line(),
                    e.column()
                ));
                return 2;
            }
        }
    }
    if options.slurp {
        inputs = vec![inputs.into()];
    }
    let mut last = None;
    for input in inputs {
        let mut out = Vec::new();
        let result = eval(&op, &input, &mut out, 0);
        for v in out {
            match &v {
                Value::Str(s) if options.raw => io.line(s),
                v if options.compact => io.line(plain(v)),
                v => io.line(pretty(v, 0)),
            }
            last = Some(v);
        }
        if let Err(why) = result {
            io.err(format!("jq: error (at <stdin>:0): {why}"));
            return 5;
        }
    }
    match last {
        _ if !options.status => 0,
        None => 4,
        Some(Value::Null | Value::Bool(false)) => 1,
        Some(_) => 0,
    }
}

/// JSON as parsed by serde to a value.
pub fn from_json(v: &serde_json::Value) -> Value {
    match v {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => {
            n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap_or(0.0)), Value::Int)
        }
        serde_json::Value::String(s) => Value::Str(text(s)),
        serde_json::Value::Array(l) => l.iter().map(from_json).collect::<Vec<_>>().into(),
        serde_json::Value::Object(m) => {
            m.iter().map(|(k, v)| (text(k), from_json(v))).collect::<Map>().into()
        }
    }
}

/// Compact JSON without Go's escapes of `<`, `>`, `&`.
fn plain(v: &Value) -> String {
    v.to_string().replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&")
}

fn pretty(v: &Value, depth: usize) -> String {
    let pad = "  ".repeat(depth + 1);
    let end = "  ".repeat(depth);
    match v {
        Value::List(l) if !l.is_empty() => {
            let items: Vec<String> =
                l.iter().map(|v| format!("{pad}{}", pretty(v, depth + 1))).collect();
            format!("[\n{}\n{end}]", items.join(",\n"))
        }
        Value::Map(m) if !m.is_empty() => {
            let items: Vec<String> = m
                .iter()
                .map(|(k, v)| {
                    format!("{pad}{}: {}", plain(&Value::Str(k.clone())), pretty(v, depth + 1))
                })
                .collect();
            format!("{{\n{}\n{end}}}", items.join(",\n"))
        }
        v => plain(v),
    }
}

fn truth(v: &Value) -> bool {
    !matches!(v, Value::Null | Value::Bool(false))
}

fn type_of(v: &Value) -> &'static str {
    match v {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) | Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

fn about(v: &Value) -> String {
    let mut s = plain(v);
    if s.chars().count() > 11 {
        s = format!("{}...", s.chars().take(10).collect::<String>());
    }
    format!("{} ({s})", type_of(v))
}

fn number(v: &Value) -> Option<f64> {
    match v {
        Value::Int(i) => Some(*i as f64),
        Value::Float(f) => Some(*f),
        _ => None,
    }
}

/// jq's order: null, false, true, numbers, texts, lists, objects.
fn order(a: &Value, b: &Value) -> std::cmp::Ordering {
    let rank = |v: &Value| match v {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Int(_) | Value::Float(_) => 3,
        Value::Str(_) => 4,
        Value::List(_) => 5,
        Value::Map(_) => 6,
    };
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Value::Str(x), Value::Str(y)) => x.cmp(y),
        (Value::List(x), Value::List(y)) => x
            .iter()
            .zip(y.iter())
            .map(|(x, y)| order(x, y))
            .find(|o| o.is_ne())
            .unwrap_or_else(|| x.len().cmp(&y.len())),
        (Value::Map(_), Value::Map(_)) => plain(a).cmp(&plain(b)),
        _ => match (number(a), number(b)) {
            (Some(x), Some(y)) => x.partial_cmp(&y).unwrap_or(std::cmp::Ordering::Equal),
            _ => std::cmp::Ordering::Equal,
        },
    })
}

fn all(op: &Op, v: &Value, depth: u32) -> Parsed<Vec<Value>> {
    let mut out = Vec::new();
    eval(op, v, &mut out, depth)?;
    Ok(out)
}

fn num(f: f64) -> Value {
    if f.fract() == 0.0 && f.abs() < 9e15 { Value::Int(f as i64) } else { Value::Float(f) }
}

fn eval(op: &Op, v: &Value, out: &mut Vec<Value>, depth: u32) -> Parsed<()> {
    if depth > 200 || out.len() > MOST {
        return Err("not simulated: so large a result".to_owned());
    }
    let depth = depth + 1;
    match op {
        Op::This => out.push(v.clone()),
        Op::Literal(l) => out.push(l.clone()),
        Op::Neg(e) => {
            for x in all(e, v, depth)? {
                let n = number(&x).ok_or_else(|| format!("{} cannot be negated", about(&x)))?;
                out.push(num(-n));
            }
        }
        Op::Field(from, key, quiet) => {
            for base in all(from, v, depth)? {
                for k in all(key, v, depth)? {
                    match (&base, &k) {
                        (Value::Map(_) | Value::Null, Value::Str(k)) => {
                            out.push(base.get(k).clone());
                        }
                        (Value::List(_) | Value::Null, Value::Int(i)) => {
                            let n = base.len() as i64;
                            let i = if *i < 0 { n + i } else { *i };
                            out.push(usize::try_from(i).map_or(Value::Null, |i| base[i].clone()));
                        }
                        _ if *quiet => {}
                        (_, Value::Str(k)) => {
                            return Err(format!("Cannot index {} with \"{k}\"", type_of(&base)));
                        }
                        _ => {
                            return Err(format!(
                                "Cannot index {} with {}",
                                type_of(&base),
                                type_of(&k)
                            ));
                        }
                    }
                }
            }
        }
        Op::Slice(from, a, b) => {
            for base in all(from, v, depth)? {
                let bound = |op: &Option<Box<Op>>, default: i64, n: i64| -> Parsed<usize> {
                    let i = match op {
                        None => default,
                        Some(op) => {
                            all(op, v, depth)?.first().and_then(Value::as_int).unwrap_or(default)
                        }
                    };
                    let i = if i < 0 { n + i } else { i };
                    Ok(i.clamp(0, n) as usize)
                };
                match &base {
                    Value::Str(s) => {
                        let chars: Vec<char> = s.chars().collect();
                        let n = chars.len() as i64;
                        let (a, b) = (bound(a, 0, n)?, bound(b, n, n)?);
                        let s: String = chars.get(a..b.max(a)).unwrap_or_default().iter().collect();
                        out.push(s.into());
                    }
                    Value::List(l) => {
                        let n = l.len() as i64;
                        let (a, b) = (bound(a, 0, n)?, bound(b, n, n)?);
                        out.push(l.get(a..b.max(a)).unwrap_or_default().to_vec().into());
                    }
                    Value::Null => out.push(Value::Null),
                    other => return Err(format!("Cannot index {} with object", type_of(other))),
                }
            }
        }
        Op::Each(from, quiet) => {
            for base in all(from, v, depth)? {
                match &base {
                    Value::List(l) => out.extend(l.iter().cloned()),
                    Value::Map(m) => out.extend(m.iter().map(|(_, v)| v.clone())),
                    _ if *quiet => {}
                    other => return Err(format!("Cannot iterate over {}", about(other))),
                }
            }
        }
        Op::Pipe(a, b) => {
            for x in all(a, v, depth)? {
                eval(b, &x, out, depth)?;
            }
        }
        Op::Both(a, b) => {
            eval(a, v, out, depth)?;
            eval(b, v, out, depth)?;
        }
        Op::List(inner) => out.push(match inner {
            Some(op) => all(op, v, depth)?.into(),
            None => Value::list(),
        }),
        Op::Object(pairs) => {
            let mut made = vec![Map::new()];
            for (key, value) in pairs {
                let keys = all(key, v, depth)?;
                let values = all(value, v, depth)?;
                let mut next = Vec::new();
                for m in &made {
                    for k in &keys {
                        for x in &values {
                            let Value::Str(k) = k else {
                                return Err(format!(
                                    "Object keys must be strings, not {}",
                                    about(k)
                                ));
                            };
                            let mut m = m.clone();
                            m.insert(k.clone(), x.clone());
                            next.push(m);
                        }
                    }
                }
                made = next;
            }
            out.extend(made.into_iter().map(Value::from));
        }
        Op::Text(parts) => {
            let mut s = String::new();
            for part in parts {
                for x in all(part, v, depth)?.iter().take(1) {
                    match x {
                        Value::Str(t) => s.push_str(t),
                        x => s.push_str(&plain(x)),
                    }
                }
            }
            out.push(s.into());
        }
        Op::If(c, yes, no) => {
            for x in all(c, v, depth)? {
                if truth(&x) {
                    eval(yes, v, out, depth)?;
                } else if let Some(no) = no {
                    eval(no, v, out, depth)?;
                } else {
                    out.push(v.clone());
                }
            }
        }
        Op::Binary(name, a, b) => {
            if *name == "//" {
                let good: Vec<Value> =
                    all(a, v, depth).unwrap_or_default().into_iter().filter(truth).collect();
                if good.is_empty() {
                    return eval(b, v, out, depth);
                }
                out.extend(good);
                return Ok(());
            }
            if matches!(*name, "and" | "or") {
                for x in all(a, v, depth)? {
                    if truth(&x) == (*name == "or") {
                        out.push(Value::Bool(truth(&x)));
                    } else {
                        for y in all(b, v, depth)? {
                            out.push(Value::Bool(truth(&y)));
                        }
                    }
                }
                return Ok(());
            }
            for y in all(b, v, depth)? {
                for x in all(a, v, depth)? {
                    out.push(binary(name, &x, &y)?);
                }
            }
        }
        Op::Call(name, args) => call(name, args, v, out, depth)?,
    }
    Ok(())
}

fn binary(name: &str, x: &Value, y: &Value) -> Parsed<Value> {
    let o = order(x, y);
    let cannot = |what: &str| format!("{} and {} cannot be {what}", about(x), about(y));
    let both = number(x).zip(number(y));
    Ok(match name {
        "==" => Value::Bool(o.is_eq()),
        "!=" => Value::Bool(o.is_ne()),
        "<" => Value::Bool(o.is_lt()),
        "<=" => Value::Bool(o.is_le()),
        ">" => Value::Bool(o.is_gt()),
        ">=" => Value::Bool(o.is_ge()),
        "+" => match (x, y) {
            (Value::Null, v) | (v, Value::Null) => v.clone(),
            (Value::Str(a), Value::Str(b)) => format!("{a}{b}").into(),
            (Value::List(a), Value::List(b)) => {
                a.iter().chain(b.iter()).cloned().collect::<Vec<_>>().into()
            }
            (Value::Map(a), Value::Map(b)) => {
                let mut m = (**a).clone();
                for (k, v) in b.iter() {
                    m.insert(k.clone(), v.clone());
                }
                m.into()
            }
            _ => both.map(|(a, b)| num(a + b)).ok_or_else(|| cannot("added"))?,
        },
        "-" => match (x, y) {
            (Value::List(a), Value::List(b)) => {
                a.iter().filter(|v| !b.contains(v)).cloned().collect::<Vec<_>>().into()
            }
            _ => both.map(|(a, b)| num(a - b)).ok_or_else(|| cannot("subtracted"))?,
        },
        "*" => both.map(|(a, b)| num(a * b)).ok_or_else(|| cannot("multiplied"))?,
        "/" => match (x, y) {
            (Value::Str(a), Value::Str(b)) => split(a, b),
            _ => both
                .filter(|(_, b)| *b != 0.0)
                .map(|(a, b)| num(a / b))
                .ok_or_else(|| cannot("divided"))?,
        },
        _ => both
            .filter(|(_, b)| b.trunc() != 0.0)
            .map(|(a, b)| num(a.trunc() % b.trunc()))
            .ok_or_else(|| cannot("divided"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jq(filter: &str, input: &str, raw: bool) -> String {
        let mut io = Io::new(1);
        run(filter, input, Options { raw, compact: true, ..Options::default() }, &mut io);
        io.out.iter().map(|c| c.text.as_str()).collect()
    }

    #[test]
    fn filters() {
        let pods = r#"{"items":[{"metadata":{"name":"web-0"},"spec":{"nodeName":"a"}},{"metadata":{"name":"web-1"},"spec":{"nodeName":"b"}}]}"#;
        let f = r#".items[]|select(.spec.nodeName=="b")|"pod/"+.metadata.name"#;
        assert_eq!(jq(f, pods, true), "pod/web-1\n");
        assert_eq!(jq(".items|length", pods, false), "2\n");
        assert_eq!(jq(".items[0].metadata.name", pods, true), "web-0\n");
        assert_eq!(jq("[.items[].metadata.name]", pods, false), "[\"web-0\",\"web-1\"]\n");
        assert_eq!(jq(".items[-1:]|map(.spec)", pods, false), "[{\"nodeName\":\"b\"}]\n");
        assert_eq!(jq("{a: .x, b}", "{\"x\":1,\"b\":2}", false), "{\"a\":1,\"b\":2}\n");
        assert_eq!(jq(".x // \"none\"", "{}", true), "none\n");
        assert_eq!(jq("\"<\\(.x+1)>\"", "{\"x\":1}", true), "<2>\n");
        assert_eq!(jq("if .x > 1 then \"a\" else \"b\" end", "{\"x\":1}", true), "b\n");
        assert_eq!(
            jq(".metadata[\"labels\"].app", "{\"metadata\":{\"labels\":{\"app\":\"x\"}}}", true),
            "x\n"
        );
        assert!(jq(".a.b", "[]", false).contains("Cannot index array"));
        assert!(jq("nope", "1", false).contains("not defined"));
    }
}
