//! kubectl's JSONPath templates: `{.items[*].metadata.name}`, `{range …}{end}`, filters,
//! slices, recursive descent (behaviour/kubectl.md 2).

use crate::manifest::print::go_text;
use crate::value::{Value, text};

/// A template, taken apart.
#[derive(Clone, Debug)]
pub struct Template(Vec<Node>);

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Path(Vec<Step>),
    Range(Vec<Step>, Vec<Node>),
    /// What is told only when the template is filled.
    Wrong(String),
}

#[derive(Clone, Debug)]
enum Step {
    Field(String),
    Deep(String),
    All,
    Slice(Option<i64>, Option<i64>, i64),
    Union(Vec<Vec<Step>>),
    Filter(Vec<Step>, Option<(String, Operand)>),
    Root,
}

#[derive(Clone, Debug)]
enum Operand {
    Const(Value),
    Path(Vec<Step>),
}

impl Template {
    /// Reads a template; a path without braces is put into them, as kubectl does for
    /// custom-columns and --sort-by.
    ///
    /// # Errors
    /// kubectl's words for what is wrong.
    pub fn parse(template: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: template };
        let (nodes, _) = parser.nodes(false)?;
        Ok(Self(nodes))
    }

    /// Reads a relaxed path: `.metadata.name`, `metadata.name`, `{.metadata.name}`.
    ///
    /// # Errors
    /// kubectl's words for what is wrong.
    pub fn relaxed(path: &str) -> Result<Self, String> {
        Self::parse(&relaxed(path))
    }

    /// All values that the paths of the template give; none if one of them cannot be followed.
    pub fn values(&self, root: &Value) -> Vec<Value> {
        self.find(root).unwrap_or_default()
    }

    /// All values that the paths of the template give.
    ///
    /// # Errors
    /// client-go's words for an index that a list does not have, and the like.
    pub fn find(&self, root: &Value) -> Result<Vec<Value>, String> {
        let mut found = Vec::new();
        for node in &self.0 {
            match node {
                Node::Path(steps) => found.extend(walk(root, root, steps)?),
                Node::Wrong(why) => return Err(why.clone()),
                Node::Text(_) | Node::Range(..) => {}
            }
        }
        Ok(found)
    }

    /// The filled template.
    ///
    /// # Errors
    /// As [`Template::find`].
    pub fn fill(&self, root: &Value) -> Result<String, String> {
        let mut out = String::new();
        fill(&self.0, root, root, &mut out)?;
        Ok(out)
    }
}

/// A relaxed path as the template that it stands for: `name` is `{.name}`.
pub fn relaxed(path: &str) -> String {
    let inner = path.strip_prefix('{').and_then(|p| p.strip_suffix('}')).unwrap_or(path);
    let dot = if inner.starts_with(['.', '[', '@', '$']) { "" } else { "." };
    format!("{{{dot}{inner}}}")
}

/// A value as kubectl prints it in a template.
pub fn shown(v: &Value) -> String {
    match v {
        Value::Str(s) => s.to_string(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn fill(nodes: &[Node], root: &Value, here: &Value, out: &mut String) -> Result<(), String> {
    for node in nodes {
        match node {
            Node::Text(t) => out.push_str(t),
            Node::Path(steps) => {
                let values: Vec<String> = walk(root, here, steps)?.iter().map(shown).collect();
                out.push_str(&values.join(" "));
            }
            Node::Range(steps, body) => {
                for item in walk(root, here, steps)? {
                    fill(body, root, &item, out)?;
                }
            }
            Node::Wrong(why) => return Err(why.clone()),
        }
    }
    Ok(())
}

fn walk(root: &Value, here: &Value, steps: &[Step]) -> Result<Vec<Value>, String> {
    let mut current = vec![here.clone()];
    for step in steps {
        let mut next = Vec::new();
        if let Step::Union(parts) = step {
            // each part goes through all values
            for part in parts {
                for v in &current {
                    next.extend(walk(root, v, part)?);
                }
            }
        } else {
            for v in &current {
                next.extend(take(root, v, step)?);
            }
        }
        current = next;
    }
    Ok(current)
}

fn take(root: &Value, v: &Value, step: &Step) -> Result<Vec<Value>, String> {
    Ok(match step {
        Step::Root => vec![root.clone()],
        Step::Field(name) => match v {
            Value::Map(m) => m.get(name).cloned().into_iter().collect(),
            _ => Vec::new(),
        },
        Step::All => v.items().iter().cloned().chain(v.pairs().map(|(_, v)| v.clone())).collect(),
        Step::Deep(name) => {
            let mut found = Vec::new();
            deep(v, name, &mut found);
            found
        }
        Step::Slice(from, to, by) => match v {
            Value::Null => Vec::new(),
            Value::List(items) => slice(items, *from, *to, *by)?,
            other => return Err(format!("{} is not array or slice", go_type(other))),
        },
        Step::Union(_) => walk(root, v, std::slice::from_ref(step))?,
        Step::Filter(..) if !matches!(v, Value::List(_)) => {
            return Err(format!("{} is not array or slice and cannot be filtered", go_text(v)));
        }
        Step::Filter(left, right) => {
            let mut found = Vec::new();
            for item in v.items() {
                let a = walk(root, item, left)?;
                let passes = match right {
                    None => !a.is_empty(),
                    Some((op, Operand::Const(c))) => a.first().is_some_and(|a| compare(a, op, c)),
                    Some((op, Operand::Path(p))) => {
                        let b = walk(root, item, p)?;
                        a.first().zip(b.first()).is_some_and(|(a, b)| compare(a, op, b))
                    }
                };
                if passes {
                    found.push(item.clone());
                }
            }
            found
        }
    })
}

/// The Go type of what a decoder makes of JSON.
fn go_type(v: &Value) -> &'static str {
    match v {
        Value::Map(_) => "map[string]interface {}",
        Value::List(_) => "[]interface {}",
        Value::Str(_) => "string",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        _ => "float64",
    }
}

fn deep(v: &Value, name: &str, found: &mut Vec<Value>) {
    if let Some(x) = v.as_map().and_then(|m| m.get(name)) {
        found.push(x.clone());
    }
    for (_, x) in v.pairs() {
        deep(x, name, found);
    }
    for x in v.items() {
        deep(x, name, found);
    }
}

/// client-go's `evalArray`, which asks for no element in silence but not for a missing one.
fn slice(
    items: &[Value],
    from: Option<i64>,
    to: Option<i64>,
    by: i64,
) -> Result<Vec<Value>, String> {
    let len = items.len() as i64;
    let at = |n: i64| if n < 0 { n + len } else { n };
    let (from, to) = (at(from.unwrap_or(0)), at(to.unwrap_or(len)));
    if from == to {
        return Ok(Vec::new());
    }
    let outside = |n: i64| Err(format!("array index out of bounds: index {n}, length {len}"));
    if !(0..len).contains(&from) {
        return outside(from);
    }
    if !(0..=len).contains(&to) {
        return outside(to - 1);
    }
    if from > to {
        return Err(format!("starting index {from} is greater than ending index {to}"));
    }
    let by = usize::try_from(by).unwrap_or(1).max(1);
    Ok((from..to).step_by(by).filter_map(|i| items.get(i as usize).cloned()).collect())
}

fn compare(a: &Value, op: &str, b: &Value) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (a, b) {
        (Value::Int(x), Value::Int(y)) => x.cmp(y),
        (Value::Str(x), Value::Str(y)) => x.cmp(y),
        (Value::Bool(x), Value::Bool(y)) => x.cmp(y),
        _ => return op == "!=",
    };
    match op {
        "==" => order == Equal,
        "!=" => order != Equal,
        "<" => order == Less,
        ">" => order == Greater,
        "<=" => order != Greater,
        ">=" => order != Less,
        _ => false,
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// Nodes up to the end of the text, or up to `{end}` inside a range.
    fn nodes(&mut self, inside: bool) -> Result<(Vec<Node>, bool), String> {
        let mut nodes = Vec::new();
        while !self.rest.is_empty() {
            let Some(open) = self.rest.find('{') else {
                nodes.push(Node::Text(std::mem::take(&mut self.rest).to_owned()));
                break;
            };
            if open > 0 {
                nodes.push(Node::Text(self.rest[..open].to_owned()));
            }
            self.rest = &self.rest[open + 1..];
            let action = self.action()?;
            let trimmed = action.trim();
            if trimmed == "end" {
                if inside {
                    return Ok((nodes, true));
                }
                nodes.push(Node::Wrong("not in range, nothing to end".to_owned()));
                continue;
            }
            if let Some(path) = trimmed.strip_prefix("range") {
                let steps = steps(path.trim())?;
                let (body, closed) = self.nodes(true)?;
                // what is not ended is filled once more for what is around the range
                let after = if closed { Vec::new() } else { body.clone() };
                nodes.push(Node::Range(steps, body));
                nodes.extend(after);
            } else if trimmed.starts_with(['"', '\'']) {
                nodes.push(Node::Text(unquote(trimmed)?));
            } else if trimmed.starts_with(|c: char| c.is_ascii_alphabetic()) {
                let (name, _) = word(trimmed);
                nodes.push(Node::Wrong(format!("unrecognized identifier {name}")));
            } else if !trimmed.is_empty() {
                nodes.push(Node::Path(steps(trimmed)?));
            }
        }
        Ok((nodes, false))
    }

    /// The text up to the brace that closes this action.
    fn action(&mut self) -> Result<&'a str, String> {
        let mut quote = None;
        let mut escaped = false;
        for (i, c) in self.rest.char_indices() {
            match (quote, c) {
                _ if escaped => escaped = false,
                (Some(_), '\\') => escaped = true,
                (Some(q), c) if q == c => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '}') => {
                    let action = &self.rest[..i];
                    self.rest = &self.rest[i + 1..];
                    return Ok(action);
                }
                _ => {}
            }
        }
        Err("unclosed action".into())
    }
}

fn unquote(s: &str) -> Result<String, String> {
    let quote = s.chars().next().unwrap_or('"');
    let inner = s
        .strip_prefix(quote)
        .and_then(|r| r.strip_suffix(quote))
        .filter(|_| s.len() >= 2)
        .ok_or("unterminated quoted string")?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(c) => out.push(c),
                None => return Err("invalid syntax".into()),
            },
            c => out.push(c),
        }
    }
    Ok(out)
}

fn steps(path: &str) -> Result<Vec<Step>, String> {
    let mut out = Vec::new();
    let mut rest = path;
    if let Some(r) = rest.strip_prefix('$') {
        out.push(Step::Root);
        rest = r;
    } else if let Some(r) = rest.strip_prefix('@') {
        rest = r;
    }
    while !rest.is_empty() {
        if let Some(r) = rest.strip_prefix("..") {
            let (name, r) = word(r);
            out.push(Step::Deep(name));
            rest = r;
        } else if let Some(r) = rest.strip_prefix('.') {
            if let Some(r) = r.strip_prefix('*') {
                out.push(Step::All);
                rest = r;
            } else {
                let (name, r) = word(r);
                if !name.is_empty() {
                    out.push(Step::Field(name));
                }
                rest = r;
            }
        } else if rest.starts_with('[') {
            let end = closing(rest).ok_or("unterminated array")?;
            out.push(bracket(&rest[1..end])?);
            rest = &rest[end + 1..];
        } else if out.is_empty() {
            let (name, r) = word(rest);
            if name.is_empty() || r.len() == rest.len() {
                return Err(format!(
                    "unrecognized character in action: {:?}",
                    rest.chars().next().unwrap_or(' ')
                ));
            }
            return Err(format!("unrecognized identifier {name}"));
        } else {
            return Err(format!(
                "unrecognized character in action: {:?}",
                rest.chars().next().unwrap_or(' ')
            ));
        }
    }
    Ok(out)
}

/// A field name, up to the next separator; a backslash keeps a dot.
fn word(s: &str) -> (String, &str) {
    let mut name = String::new();
    let mut chars = s.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '\\' => {
                if let Some((_, c)) = chars.next() {
                    name.push(c);
                }
            }
            '.' | '[' | ']' | ' ' | '=' | '!' | '<' | '>' | ')' | ',' => return (name, &s[i..]),
            c => name.push(c),
        }
    }
    (name, "")
}

/// Position of the bracket that closes the first one.
fn closing(s: &str) -> Option<usize> {
    let mut depth = 0;
    let mut quote = None;
    for (i, c) in s.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => {}
        }
    }
    None
}

fn bracket(inner: &str) -> Result<Step, String> {
    let inner = inner.trim();
    if let Some(f) = inner.strip_prefix("?(").and_then(|f| f.strip_suffix(')')) {
        return filter(f);
    }
    if inner.contains(',') && !inner.starts_with(['\'', '"'])
        || inner.starts_with(['\'', '"']) && inner.contains("',")
    {
        let parts: Result<Vec<Vec<Step>>, String> = inner
            .split(',')
            .map(str::trim)
            .map(|part| match unquote(part).ok().filter(|_| part.starts_with(['\'', '"'])) {
                // a quoted name is a path of its own
                Some(path) => steps(&format!(".{path}")),
                None => bracket(part).map(|step| vec![step]),
            })
            .collect();
        return Ok(Step::Union(parts?));
    }
    if inner == "*" {
        return Ok(Step::Slice(None, None, 1));
    }
    // a key stands in single quotes, nothing else
    if inner.starts_with('\'') {
        return Ok(Step::Field(unquote(inner)?));
    }
    let bad = || format!("invalid array index {inner}");
    let number = |s: &str| -> Result<Option<i64>, String> {
        let s = s.trim();
        if s.is_empty() { Ok(None) } else { s.parse().map(Some).map_err(|_| bad()) }
    };
    let parts: Vec<&str> = inner.split(':').collect();
    match parts.as_slice() {
        [one] => {
            let n = number(one)?.ok_or_else(bad)?;
            let to = if n == -1 { None } else { Some(n.saturating_add(1)) };
            Ok(Step::Slice(Some(n), to, 1))
        }
        [from, to] => Ok(Step::Slice(number(from)?, number(to)?, 1)),
        [from, to, by] => Ok(Step::Slice(number(from)?, number(to)?, number(by)?.unwrap_or(1))),
        _ => Err(bad()),
    }
}

fn filter(f: &str) -> Result<Step, String> {
    for op in ["==", "!=", "<=", ">=", "<", ">"] {
        if let Some((left, right)) = f.split_once(op) {
            let right = right.trim();
            let operand = if right.starts_with(['@', '$', '.']) {
                Operand::Path(steps(right)?)
            } else if right.starts_with(['"', '\'']) {
                Operand::Const(Value::Str(unquote(right)?.into()))
            } else if let Ok(n) = right.parse::<i64>() {
                Operand::Const(Value::Int(n))
            } else if let Ok(b) = right.parse::<bool>() {
                Operand::Const(Value::Bool(b))
            } else {
                Operand::Const(Value::Str(text(right)))
            };
            return Ok(Step::Filter(steps(left.trim())?, Some((op.to_owned(), operand))));
        }
    }
    Ok(Step::Filter(steps(f.trim())?, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn templates() {
        let v = value!({"items": [
            {"metadata": {"name": "a", "labels": {"x.y/z": "1"}}, "spec": {"n": 1}},
            {"metadata": {"name": "b"}, "spec": {"n": 2, "l": ["p", "q"]}}
        ]});
        for (t, want) in [
            ("{.items[*].metadata.name}", "a b"),
            ("{range .items[*]}{.metadata.name}{\"\\n\"}{end}", "a\nb\n"),
            ("{.items[0].metadata.labels.x\\.y/z}", "1"),
            ("{.items[-1].spec.l}", "[\"p\",\"q\"]"),
            ("{.items[?(@.spec.n==2)].metadata.name}", "b"),
            ("{.items[?(@.metadata.name==\"a\")].spec.n}", "1"),
            ("{..name}", "a b"),
            ("{.items[1].spec.l[0:1]}", "p"),
            ("n={.nope}!", "n=!"),
            ("{.items[*]['metadata.name','spec.n']}", "a b 1 2"),
            ("{.items[1].spec.l[2:2]}", ""),
        ] {
            assert_eq!(Template::parse(t).unwrap().fill(&v).unwrap(), want, "{t}");
        }
        for (t, want) in [
            ("{.items[2].spec}", "array index out of bounds: index 2, length 2"),
            ("{.items[-3].spec}", "array index out of bounds: index -1, length 2"),
            ("{.items[1:4].spec}", "array index out of bounds: index 3, length 2"),
            ("{.items[0].metadata[*]}", "map[string]interface {} is not array or slice"),
        ] {
            assert_eq!(Template::parse(t).unwrap().fill(&v).unwrap_err(), want, "{t}");
        }
        assert_eq!(Template::parse("{.x").unwrap_err(), "unclosed action");
        assert_eq!(
            Template::relaxed("metadata.name").unwrap().values(&v["items"][0])[0],
            value!("a")
        );
    }
}
