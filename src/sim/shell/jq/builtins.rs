//! The functions that filters call.

use super::{Op, Parsed, about, all, binary, eval, from_json, num, order, plain, truth, type_of};
use crate::shell::pattern::Pattern;
use crate::value::{Map, Value, text};

pub(super) fn split(a: &str, b: &str) -> Value {
    if a.is_empty() {
        return Value::list();
    }
    a.split(b).map(|p| Value::Str(text(p))).collect::<Vec<_>>().into()
}

pub(super) fn call(
    name: &str,
    args: &[Op],
    v: &Value,
    out: &mut Vec<Value>,
    depth: u32,
) -> Parsed<()> {
    let arg = |n: usize, v: &Value| -> Parsed<Value> {
        match args.get(n) {
            Some(op) => Ok(all(op, v, depth)?.into_iter().next().unwrap_or_default()),
            None => Ok(Value::Null),
        }
    };
    let by = |list: &Value| -> Parsed<Vec<(Value, Value)>> {
        if !matches!(list, Value::List(_)) {
            return Err(format!("{} cannot be sorted, as it is not an array", about(list)));
        }
        let mut pairs = Vec::new();
        for x in list.items() {
            let key = match args.first() {
                Some(op) => all(op, x, depth)?.into(),
                None => x.clone(),
            };
            pairs.push((key, x.clone()));
        }
        pairs.sort_by(|a, b| order(&a.0, &b.0));
        Ok(pairs)
    };
    let result = match (name, args.len()) {
        ("empty", 0) => return Ok(()),
        ("not", 0) => Value::Bool(!truth(v)),
        ("length", 0) => match v {
            Value::Str(s) => (s.chars().count() as i64).into(),
            Value::Bool(_) => return Err(format!("{} has no length", about(v))),
            Value::Int(i) => i.abs().into(),
            v => (v.len() as i64).into(),
        },
        ("keys" | "keys_unsorted", 0) => match v {
            Value::Map(m) => m.keys().map(|k| Value::Str(k.clone())).collect::<Vec<_>>().into(),
            Value::List(l) => (0..l.len() as i64).map(Value::Int).collect::<Vec<_>>().into(),
            v => return Err(format!("{} has no keys", about(v))),
        },
        ("type", 0) => type_of(v).into(),
        ("tostring", 0) => match v {
            Value::Str(_) => v.clone(),
            v => plain(v).into(),
        },
        ("tonumber", 0) => match v {
            Value::Str(s) => s
                .trim()
                .parse::<f64>()
                .map(num)
                .map_err(|_| format!("{} cannot be parsed as a number", about(v)))?,
            v => v.clone(),
        },
        ("select", 1) => {
            for x in all(&args[0], v, depth)? {
                if truth(&x) {
                    out.push(v.clone());
                }
            }
            return Ok(());
        }
        ("map", 1) => {
            let mut list = Vec::new();
            let items = match v {
                Value::Map(m) => m.iter().map(|(_, v)| v.clone()).collect(),
                Value::List(l) => (**l).clone(),
                v => return Err(format!("Cannot iterate over {}", about(v))),
            };
            for x in items {
                eval(&args[0], &x, &mut list, depth)?;
            }
            list.into()
        }
        ("has", 1) => match (v, arg(0, v)?) {
            (Value::Map(m), Value::Str(k)) => m.contains_key(&k).into(),
            (Value::List(l), Value::Int(i)) => ((0..l.len() as i64).contains(&i)).into(),
            _ => return Err(format!("Cannot check whether {} has such a key", type_of(v))),
        },
        ("first", 0) => v[0].clone(),
        ("last", 0) => v.items().last().cloned().unwrap_or_default(),
        ("first", 1) => {
            out.extend(all(&args[0], v, depth)?.into_iter().next());
            return Ok(());
        }
        ("add", 0) => {
            let mut sum = Value::Null;
            let items: Vec<Value> = match v {
                Value::Map(m) => m.iter().map(|(_, v)| v.clone()).collect(),
                v => v.items().to_vec(),
            };
            for x in items {
                sum = binary("+", &sum, &x)?;
            }
            sum
        }
        ("any", 0) => v.items().iter().any(truth).into(),
        ("all", 0) => v.items().iter().all(truth).into(),
        ("any" | "all", 1) => {
            let mut hits = Vec::new();
            for x in v.items() {
                hits.push(truth(&all(&args[0], x, depth)?.into_iter().next().unwrap_or_default()));
            }
            if name == "any" {
                hits.contains(&true).into()
            } else {
                (!hits.contains(&false)).into()
            }
        }
        ("join", 1) => {
            let sep = arg(0, v)?;
            let parts: Vec<String> = v
                .items()
                .iter()
                .map(|x| match x {
                    Value::Null => String::new(),
                    Value::Str(s) => s.to_string(),
                    x => plain(x),
                })
                .collect();
            parts.join(sep.str()).into()
        }
        ("split", 1) => split(v.str(), arg(0, v)?.str()),
        ("startswith", 1) => v.str().starts_with(arg(0, v)?.str()).into(),
        ("endswith", 1) => v.str().ends_with(arg(0, v)?.str()).into(),
        ("ltrimstr", 1) => {
            let a = arg(0, v)?;
            v.as_str().and_then(|s| s.strip_prefix(a.str())).map_or(v.clone(), |s| text(s).into())
        }
        ("rtrimstr", 1) => {
            let a = arg(0, v)?;
            v.as_str().and_then(|s| s.strip_suffix(a.str())).map_or(v.clone(), |s| text(s).into())
        }
        ("ascii_downcase", 0) => v.str().to_ascii_lowercase().into(),
        ("ascii_upcase", 0) => v.str().to_ascii_uppercase().into(),
        ("contains", 1) => contains(v, &arg(0, v)?).into(),
        ("test", 1) => Pattern::new(arg(0, v)?.str(), true, false)?.matches(v.str()).into(),
        ("reverse", 0) => v.items().iter().rev().cloned().collect::<Vec<_>>().into(),
        ("sort" | "sort_by", _) => by(v)?.into_iter().map(|(_, x)| x).collect::<Vec<_>>().into(),
        ("unique" | "unique_by", _) => {
            let mut pairs = by(v)?;
            pairs.dedup_by(|a, b| order(&a.0, &b.0).is_eq());
            pairs.into_iter().map(|(_, x)| x).collect::<Vec<_>>().into()
        }
        ("group_by", 1) => {
            let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
            for (k, x) in by(v)? {
                match groups.last_mut() {
                    Some((last, list)) if order(last, &k).is_eq() => list.push(x),
                    _ => groups.push((k, vec![x])),
                }
            }
            groups.into_iter().map(|(_, l)| Value::from(l)).collect::<Vec<_>>().into()
        }
        ("max" | "max_by", _) => by(v)?.pop().map(|(_, x)| x).unwrap_or_default(),
        ("min" | "min_by", _) => by(v)?.into_iter().next().map(|(_, x)| x).unwrap_or_default(),
        ("to_entries", 0) => v
            .pairs()
            .map(|(k, x)| {
                let mut m = Map::new();
                m.insert("key", k);
                m.insert("value", x.clone());
                Value::from(m)
            })
            .collect::<Vec<_>>()
            .into(),
        ("from_entries", 0) => v
            .items()
            .iter()
            .map(|e| (e["key"].to_str(), e["value"].clone()))
            .collect::<Map>()
            .into(),
        ("fromjson", 0) => serde_json::from_str(v.str())
            .map(|j| from_json(&j))
            .map_err(|_| format!("{} (while parsing '{}')", "Invalid JSON", v.str()))?,
        ("tojson", 0) => plain(v).into(),
        ("@base64", 0) => crate::base64::encode(v.str().as_bytes()).into(),
        ("range", 1) => {
            let n = arg(0, v)?.int_or(0).min(10_000);
            out.extend((0..n).map(Value::Int));
            return Ok(());
        }
        _ => return Err(format!("{name}/{} is not defined (or not simulated)", args.len())),
    };
    out.push(result);
    Ok(())
}

fn contains(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => a.contains(b.as_str()),
        (Value::List(a), Value::List(b)) => b.iter().all(|y| a.iter().any(|x| contains(x, y))),
        (Value::Map(a), Value::Map(b)) => {
            b.iter().all(|(k, y)| a.get(k).is_some_and(|x| contains(x, y)))
        }
        (a, b) => order(a, b).is_eq(),
    }
}
