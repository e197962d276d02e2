//! sed: substitutions, deletion and printing of lines.

use crate::shell::pattern::Pattern;

enum Address {
    Line(usize),
    Last,
    Match(Pattern),
}

enum Act {
    Substitute { pattern: Pattern, with: Vec<char>, all: bool, print: bool, nth: usize },
    Delete,
    Print,
    Quit,
}

struct Rule {
    from: Option<Address>,
    to: Option<Address>,
    not: bool,
    act: Act,
}

/// Runs the scripts over a text.
///
/// # Errors
/// What is wrong with a script, or not simulated.
pub fn run(scripts: &[String], extended: bool, quiet: bool, t: &str) -> Result<String, String> {
    let mut rules = Vec::new();
    for script in scripts {
        let chars: Vec<char> = script.chars().collect();
        let mut at = 0;
        loop {
            while chars.get(at).is_some_and(|c| c.is_whitespace() || *c == ';') {
                at += 1;
            }
            if at >= chars.len() {
                break;
            }
            rules.push(rule(&chars, &mut at, extended)?);
        }
    }
    let lines: Vec<&str> = t.split_inclusive('\n').collect();
    let mut inside = vec![false; rules.len()];
    let mut out = String::new();
    'lines: for (i, line) in lines.iter().enumerate() {
        let end = if line.ends_with('\n') { "\n" } else { "" };
        let mut text = line.trim_end_matches('\n').to_owned();
        for (rule, inside) in rules.iter().zip(inside.iter_mut()) {
            let hit = |a: &Address, text: &str| match a {
                Address::Line(n) => *n == i + 1,
                Address::Last => i + 1 == lines.len(),
                Address::Match(p) => p.matches(text),
            };
            let applies = match (&rule.from, &rule.to) {
                (None, _) => true,
                (Some(a), None) => hit(a, &text),
                (Some(a), Some(b)) => {
                    if *inside {
                        *inside = !(hit(b, &text) || matches!(b, Address::Line(n) if *n <= i + 1));
                        true
                    } else if hit(a, &text) {
                        *inside = !matches!(b, Address::Line(n) if *n <= i + 1);
                        true
                    } else {
                        false
                    }
                }
            };
            if applies == rule.not {
                continue;
            }
            match &rule.act {
                Act::Delete => continue 'lines,
                Act::Print => out.push_str(&format!("{text}\n")),
                Act::Quit => {
                    if !quiet {
                        out.push_str(&text);
                        out.push_str(end);
                    }
                    return Ok(out);
                }
                Act::Substitute { pattern, with, all, print, nth } => {
                    if let Some(new) = substitute(pattern, with, *all, *nth, &text) {
                        text = new;
                        if *print {
                            out.push_str(&format!("{text}\n"));
                        }
                    }
                }
            }
        }
        if !quiet {
            out.push_str(&text);
            out.push_str(end);
        }
    }
    Ok(out)
}

fn substitute(p: &Pattern, with: &[char], all: bool, nth: usize, text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let part = |a: usize, b: usize| chars.get(a..b).unwrap_or_default().iter().collect::<String>();
    let mut out = String::new();
    let (mut from, mut count, mut done) = (0, 0, 0);
    while let Some((a, b, groups)) = p.find(&chars, from) {
        count += 1;
        if count >= nth {
            out.push_str(&part(done, a));
            let mut with = with.iter();
            while let Some(c) = with.next() {
                match c {
                    '&' => out.push_str(&part(a, b)),
                    '\\' => match with.next() {
                        Some(d) if d.is_ascii_digit() => {
                            let n = *d as usize - '0' as usize;
                            if let Some((x, y)) = groups.get(n).copied().flatten() {
                                out.push_str(&part(x, y));
                            }
                        }
                        Some('n') => out.push('\n'),
                        Some('t') => out.push('\t'),
                        Some(c) => out.push(*c),
                        None => out.push('\\'),
                    },
                    c => out.push(*c),
                }
            }
            done = b;
            if !all {
                break;
            }
        }
        if b == a {
            if b >= chars.len() {
                break;
            }
            from = b + 1;
        } else {
            from = b;
        }
    }
    if count < nth {
        return None;
    }
    out.push_str(&part(done, chars.len()));
    Some(out)
}

fn address(chars: &[char], at: &mut usize, extended: bool) -> Result<Option<Address>, String> {
    match chars.get(*at) {
        Some(c) if c.is_ascii_digit() => {
            let mut n = 0_usize;
            while let Some(d) = chars.get(*at).and_then(|c| c.to_digit(10)) {
                n = n.saturating_mul(10).saturating_add(d as usize);
                *at += 1;
            }
            Ok(Some(Address::Line(n)))
        }
        Some('$') => {
            *at += 1;
            Ok(Some(Address::Last))
        }
        Some('/') => {
            *at += 1;
            let s =
                delimited(chars, at, '/').ok_or("-e expression #1: unterminated address regex")?;
            Ok(Some(Address::Match(Pattern::new(&s, extended, false)?)))
        }
        _ => Ok(None),
    }
}

/// Text up to the delimiter; an escaped delimiter stands for itself.
fn delimited(chars: &[char], at: &mut usize, end: char) -> Option<String> {
    let mut out = String::new();
    while let Some(c) = chars.get(*at) {
        *at += 1;
        if *c == end {
            return Some(out);
        }
        if *c == '\\' {
            match chars.get(*at) {
                Some(n) if *n == end => out.push(end),
                Some(n) => {
                    out.push('\\');
                    out.push(*n);
                }
                None => return None,
            }
            *at += 1;
        } else {
            out.push(*c);
        }
    }
    None
}

fn rule(chars: &[char], at: &mut usize, extended: bool) -> Result<Rule, String> {
    let from = address(chars, at, extended)?;
    let mut to = None;
    if from.is_some() && chars.get(*at) == Some(&',') {
        *at += 1;
        to = address(chars, at, extended)?;
        if to.is_none() {
            return Err("-e expression #1, char 2: unexpected `,'".to_owned());
        }
    }
    let mut not = false;
    while chars.get(*at).is_some_and(|c| *c == '!' || c.is_whitespace()) {
        not |= chars.get(*at) == Some(&'!');
        *at += 1;
    }
    let act = match chars.get(*at) {
        Some('d') => Act::Delete,
        Some('p') => Act::Print,
        Some('q') => Act::Quit,
        Some('s') => {
            *at += 1;
            let end = *chars.get(*at).ok_or("-e expression #1: unterminated `s' command")?;
            *at += 1;
            let unterminated = "-e expression #1: unterminated `s' command";
            let s = delimited(chars, at, end).ok_or(unterminated)?;
            let with = delimited(chars, at, end).ok_or(unterminated)?;
            let (mut all, mut print, mut ignore_case, mut nth) = (false, false, false, 1);
            while let Some(c) = chars.get(*at) {
                match c {
                    'g' => all = true,
                    'p' => print = true,
                    'i' | 'I' => ignore_case = true,
                    d if d.is_ascii_digit() && *d != '0' => nth = *d as usize - '0' as usize,
                    ';' | '\n' | '}' => break,
                    c if c.is_whitespace() => break,
                    _ => return Err("-e expression #1: unknown option to `s'".to_owned()),
                }
                *at += 1;
            }
            let pattern = Pattern::new(&s, extended, ignore_case)?;
            let with = with.chars().collect();
            return Ok(Rule {
                from,
                to,
                not,
                act: Act::Substitute { pattern, with, all, print, nth },
            });
        }
        Some(c) => return Err(format!("not simulated: command `{c}'")),
        None => return Err("-e expression #1, char 1: missing command".to_owned()),
    };
    *at += 1;
    Ok(Rule { from, to, not, act })
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn lines() {
        let sed = |s: &str, t: &str| run(&[s.to_owned()], false, false, t).unwrap();
        assert_eq!(sed("s/a/b/", "aa\na\n"), "ba\nb\n");
        assert_eq!(sed("s/a/b/g;1d", "aa\naa\n"), "bb\n");
        assert_eq!(sed("s|web-\\(.\\)|<\\1>&|", "web-3"), "<3>web-3");
        assert_eq!(sed("/x/,$d", "a\nx\nb\n"), "a\n");
        assert_eq!(run(&["2p".to_owned()], false, true, "a\nb\n").unwrap(), "b\n");
        assert!(run(&["y/a/b/".to_owned()], false, true, "a").is_err());
        assert_eq!(sed("s/x*/-/g", "ab"), "-a-b-");
    }
}
