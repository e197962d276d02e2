//! `$((…))` and `((…))`: whole numbers, `+ - * / %`, comparisons, parentheses, `? :`,
//! variables and assignments.

use crate::shell::Shell;

/// Operators that join two values, the weakest first.
const LEVELS: &[&[&str]] =
    &[&["||"], &["&&"], &["==", "!="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

/// How deep an expression may be.
const DEEPEST: u32 = 200;

struct P<'a> {
    sh: &'a mut Shell,
    tokens: Vec<String>,
    at: usize,
    depth: u32,
}

impl P<'_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn take(&mut self, token: &str) -> bool {
        let yes = self.peek() == token;
        self.at += usize::from(yes);
        yes
    }

    fn whole(&mut self) -> Option<i64> {
        let test = self.binary(0)?;
        if !self.take("?") {
            return Some(test);
        }
        let yes = self.whole()?;
        let no = self.take(":").then(|| self.whole())??;
        Some(if test == 0 { no } else { yes })
    }

    fn binary(&mut self, level: usize) -> Option<i64> {
        let Some(ops) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(op) = ops.iter().find(|op| **op == self.peek()) {
            self.at += 1;
            let right = self.binary(level + 1)?;
            left = apply(op, left, right)?;
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<i64> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let token = self.peek().to_owned();
        self.at += 1;
        match token.as_str() {
            "-" => Some(self.unary()?.wrapping_neg()),
            "+" => self.unary(),
            "!" => Some(i64::from(self.unary()? == 0)),
            "++" | "--" => {
                let name = self.peek().to_owned();
                self.at += 1;
                let by = if token == "++" { 1 } else { -1 };
                let v = self.value(&name)?.wrapping_add(by);
                self.set(name, v)
            }
            "(" => {
                let v = self.whole()?;
                self.take(")").then_some(v)
            }
            t if t.starts_with(|c: char| c.is_ascii_digit()) => match t.strip_prefix("0x") {
                Some(hex) => i64::from_str_radix(hex, 16).ok(),
                None => t.parse().ok(),
            },
            _ => {
                let old = self.value(&token)?;
                match self.peek().to_owned().as_str() {
                    op @ ("++" | "--") => {
                        self.at += 1;
                        self.set(token, old.wrapping_add(if op == "++" { 1 } else { -1 }))?;
                        Some(old)
                    }
                    "=" => {
                        self.at += 1;
                        let v = self.whole()?;
                        self.set(token, v)
                    }
                    op @ ("+=" | "-=" | "*=" | "/=" | "%=") => {
                        self.at += 1;
                        let right = self.whole()?;
                        let v = apply(op.trim_end_matches('='), old, right)?;
                        self.set(token, v)
                    }
                    _ => Some(old),
                }
            }
        }
    }

    /// The number in a variable; none if this is no name.
    fn value(&self, name: &str) -> Option<i64> {
        let first = name.chars().next()?;
        let fits = first.is_ascii_alphabetic() || first == '_';
        fits.then(|| self.sh.var(name).and_then(|v| v.trim().parse().ok()).unwrap_or(0))
    }

    fn set(&mut self, name: String, v: i64) -> Option<i64> {
        self.sh.vars.insert(name.into(), v.to_string().into());
        Some(v)
    }
}

fn apply(op: &str, left: i64, right: i64) -> Option<i64> {
    Some(match op {
        "||" => i64::from(left != 0 || right != 0),
        "&&" => i64::from(left != 0 && right != 0),
        "==" => i64::from(left == right),
        "!=" => i64::from(left != right),
        "<=" => i64::from(left <= right),
        ">=" => i64::from(left >= right),
        "<" => i64::from(left < right),
        ">" => i64::from(left > right),
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        "/" => left.checked_div(right)?,
        _ => left.checked_rem(right)?,
    })
}

fn tokens(s: &str) -> Option<Vec<String>> {
    const DOUBLE: [&str; 13] =
        ["||", "&&", "==", "!=", "<=", ">=", "++", "--", "+=", "-=", "*=", "/=", "%="];
    let mut tokens = Vec::new();
    let mut rest = s.trim_start();
    while let Some(c) = rest.chars().next() {
        let n = if DOUBLE.iter().any(|t| rest.starts_with(t)) {
            2
        } else if "+-*/%<>()!=?:".contains(c) {
            1
        } else if c.is_ascii_alphanumeric() || c == '_' {
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else {
            return None;
        };
        let (token, tail) = rest.split_at(n);
        tokens.push(token.to_owned());
        rest = tail.trim_start();
    }
    Some(tokens)
}

/// The value of an expression; the empty one is 0.
///
/// # Errors
/// What the shell says of an expression that is none.
pub fn evaluate(sh: &mut Shell, s: &str) -> Result<i64, String> {
    let bad = || format!("{s}: syntax error: operand expected (error token is \"{s}\")");
    let tokens = tokens(s).ok_or_else(bad)?;
    if tokens.is_empty() {
        return Ok(0);
    }
    if tokens.windows(2).any(|w| matches!(w, [op, zero] if op == "/" && zero == "0")) {
        return Err(format!("{s}: division by 0 (error token is \"0\")"));
    }
    let mut p = P { sh, tokens, at: 0, depth: 0 };
    let v = p.whole().ok_or_else(bad)?;
    if p.at == p.tokens.len() { Ok(v) } else { Err(bad()) }
}
