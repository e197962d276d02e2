//! Regular expressions of grep, sed and awk: characters, classes, `* + ?`, groups, `|`, anchors.

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Pattern {
    node: Re,
    ignore_case: bool,
}

#[derive(Clone, Debug)]
enum Re {
    Char(char),
    Any,
    Class(Vec<(char, char)>, bool),
    Start,
    End,
    Seq(Vec<Re>),
    Or(Vec<Re>),
    Repeat(Box<Re>, u32, u32),
    Group(Box<Re>, usize),
}

/// Where groups were found, as positions in characters.
pub type Groups = Vec<Option<(usize, usize)>>;

/// Longest expression, bytes.
const LONGEST: usize = 1000;
/// How many steps a match may take: an expression that needs more finds nothing.
const STEPS: u32 = 200_000;

struct Parser<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    extended: bool,
    groups: usize,
    depth: u32,
}

impl Pattern {
    /// Compiles; `extended`: as `grep -E` and awk write it.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn new(s: &str, extended: bool, ignore_case: bool) -> Result<Self, String> {
        if s.len() > LONGEST {
            return Err("Regular expression too big".to_owned());
        }
        let mut p = Parser { chars: s.chars().peekable(), extended, groups: 0, depth: 0 };
        let node = p.alternatives()?;
        if p.chars.peek().is_some() {
            return Err("Unmatched ) or \\)".to_owned());
        }
        Ok(Self { node, ignore_case })
    }

    /// An expression that matches just this text.
    pub fn fixed(s: &str, ignore_case: bool) -> Self {
        let end = s.char_indices().map(|(i, _)| i).find(|i| *i >= LONGEST).unwrap_or(s.len());
        let s = s.get(..end).unwrap_or("");
        Self { node: Re::Seq(s.chars().map(Re::Char).collect()), ignore_case }
    }

    /// Does it match anywhere?
    pub fn matches(&self, s: &str) -> bool {
        let chars: Vec<char> = s.chars().collect();
        self.find(&chars, 0).is_some()
    }

    /// The first match at or after a position: start, end, groups.
    pub fn find(&self, s: &[char], from: usize) -> Option<(usize, usize, Groups)> {
        let mut steps = 0;
        (from..=s.len()).find_map(|start| {
            let mut groups: Groups = vec![None; 10];
            let mut end = None;
            let m = Matcher { s, ignore_case: self.ignore_case };
            m.run(&self.node, start, &mut groups, &mut steps, &mut |at, _, _| {
                end = Some(at);
                true
            });
            end.map(|end| (start, end, groups))
        })
    }
}

struct Matcher<'a> {
    s: &'a [char],
    ignore_case: bool,
}

type Next<'n> = &'n mut dyn FnMut(usize, &mut Groups, &mut u32) -> bool;

impl Matcher<'_> {
    fn same(&self, a: char, b: char) -> bool {
        a == b || self.ignore_case && a.eq_ignore_ascii_case(&b)
    }

    fn run(&self, re: &Re, at: usize, groups: &mut Groups, steps: &mut u32, next: Next) -> bool {
        *steps += 1;
        if *steps > STEPS {
            return false;
        }
        match re {
            Re::Char(c) => {
                self.s.get(at).is_some_and(|x| self.same(*x, *c)) && next(at + 1, groups, steps)
            }
            Re::Any => at < self.s.len() && next(at + 1, groups, steps),
            Re::Class(ranges, not) => {
                let Some(x) = self.s.get(at) else { return false };
                let within = |x: char| ranges.iter().any(|(a, b)| (*a..=*b).contains(&x));
                let yes = within(*x)
                    || self.ignore_case
                        && (within(x.to_ascii_lowercase()) || within(x.to_ascii_uppercase()));
                yes != *not && next(at + 1, groups, steps)
            }
            Re::Start => at == 0 && next(at, groups, steps),
            Re::End => at == self.s.len() && next(at, groups, steps),
            Re::Seq(list) => self.seq(list, at, groups, steps, next),
            Re::Or(list) => list.iter().any(|r| self.run(r, at, groups, steps, next)),
            Re::Group(inner, n) => {
                let before = groups.get(*n).copied().flatten();
                let ok = self.run(inner, at, groups, steps, &mut |end, groups, steps| {
                    let old = groups.get(*n).copied().flatten();
                    if let Some(g) = groups.get_mut(*n) {
                        *g = Some((at, end));
                    }
                    let ok = next(end, groups, steps);
                    if !ok && let Some(g) = groups.get_mut(*n) {
                        *g = old;
                    }
                    ok
                });
                if !ok && let Some(g) = groups.get_mut(*n) {
                    *g = before;
                }
                ok
            }
            Re::Repeat(inner, low, high) => {
                self.repeat(inner, *low, *high, at, groups, steps, next)
            }
        }
    }

    fn seq(
        &self,
        list: &[Re],
        at: usize,
        groups: &mut Groups,
        steps: &mut u32,
        next: Next,
    ) -> bool {
        match list.split_first() {
            None => next(at, groups, steps),
            Some((first, rest)) => self.run(first, at, groups, steps, &mut |at, groups, steps| {
                self.seq(rest, at, groups, steps, next)
            }),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the state of a match, all of it used")]
    fn repeat(
        &self,
        inner: &Re,
        low: u32,
        high: u32,
        at: usize,
        groups: &mut Groups,
        steps: &mut u32,
        next: Next,
    ) -> bool {
        // single characters repeat without recursion, so long lines do not deepen the stack
        if matches!(inner, Re::Char(_) | Re::Any | Re::Class(..)) {
            let mut ends = vec![at];
            let mut here = at;
            while ends.len() <= high as usize {
                let mut after = None;
                self.run(inner, here, groups, steps, &mut |end, _, _| {
                    after = Some(end);
                    true
                });
                let Some(end) = after else { break };
                ends.push(end);
                here = end;
            }
            return ends.iter().skip(low as usize).rev().any(|end| next(*end, groups, steps));
        }
        if high > 0
            && self.run(inner, at, groups, steps, &mut |end, groups, steps| {
                end > at
                    && *steps < STEPS
                    && end - at <= 2000
                    && self.repeat(
                        inner,
                        low.saturating_sub(1),
                        high.saturating_sub(1).min(200),
                        end,
                        groups,
                        steps,
                        next,
                    )
            })
        {
            return true;
        }
        low == 0 && next(at, groups, steps)
    }
}

impl Parser<'_> {
    fn alternatives(&mut self) -> Result<Re, String> {
        self.depth += 1;
        if self.depth > 50 {
            return Err("Regular expression too big".to_owned());
        }
        let mut list = vec![self.sequence()?];
        loop {
            let more = if self.extended {
                self.chars.next_if_eq(&'|').is_some()
            } else {
                self.escaped('|')
            };
            if !more {
                break;
            }
            list.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if list.len() == 1 { list.remove(0) } else { Re::Or(list) })
    }

    /// Takes `\c` if it stands here.
    fn escaped(&mut self, c: char) -> bool {
        let mut ahead = self.chars.clone();
        if ahead.next() == Some('\\') && ahead.next() == Some(c) {
            self.chars = ahead;
            return true;
        }
        false
    }

    fn closes(&self) -> bool {
        let mut ahead = self.chars.clone();
        match ahead.next() {
            None => true,
            Some('|' | ')') => self.extended,
            Some('\\') => !self.extended && matches!(ahead.next(), Some('|' | ')')),
            Some(_) => false,
        }
    }

    fn sequence(&mut self) -> Result<Re, String> {
        let mut list = Vec::new();
        while !self.closes() {
            let atom = self.atom(list.is_empty())?;
            let atom = self.repeated(atom)?;
            list.push(atom);
        }
        Ok(if list.len() == 1 { list.remove(0) } else { Re::Seq(list) })
    }

    fn atom(&mut self, first: bool) -> Result<Re, String> {
        let Some(c) = self.chars.next() else { return Ok(Re::Seq(Vec::new())) };
        Ok(match c {
            '.' => Re::Any,
            '^' if first || self.extended => Re::Start,
            '$' if self.closes() => Re::End,
            '[' => self.class()?,
            '(' if self.extended => return self.group(),
            '\\' => match self.chars.next() {
                None => return Err("Trailing backslash".to_owned()),
                Some('(') if !self.extended => return self.group(),
                Some('t') => Re::Char('\t'),
                Some('n') => Re::Char('\n'),
                Some('s') => Re::Class(vec![(' ', ' '), ('\t', '\r')], false),
                Some('S') => Re::Class(vec![(' ', ' '), ('\t', '\r')], true),
                Some('d') => Re::Class(vec![('0', '9')], false),
                Some('w') => Re::Class(vec![('0', '9'), ('a', 'z'), ('A', 'Z'), ('_', '_')], false),
                Some('b' | '<' | '>' | 'B') => {
                    return Err("not simulated: word boundaries".to_owned());
                }
                Some(c) => Re::Char(c),
            },
            c => Re::Char(c),
        })
    }

    fn group(&mut self) -> Result<Re, String> {
        self.groups += 1;
        let n = self.groups;
        let inner = self.alternatives()?;
        let closed =
            if self.extended { self.chars.next_if_eq(&')').is_some() } else { self.escaped(')') };
        if !closed {
            return Err("Unmatched ( or \\(".to_owned());
        }
        Ok(Re::Group(Box::new(inner), n))
    }

    fn repeated(&mut self, mut atom: Re) -> Result<Re, String> {
        loop {
            let (low, high) = if self.chars.next_if_eq(&'*').is_some() {
                (0, u32::MAX)
            } else if self.extended && self.chars.next_if_eq(&'+').is_some()
                || !self.extended && self.escaped('+')
            {
                (1, u32::MAX)
            } else if self.extended && self.chars.next_if_eq(&'?').is_some()
                || !self.extended && self.escaped('?')
            {
                (0, 1)
            } else if self.extended && self.chars.next_if_eq(&'{').is_some()
                || !self.extended && self.escaped('{')
            {
                let mut t = String::new();
                while let Some(c) = self.chars.next_if(|c| c.is_ascii_digit() || *c == ',') {
                    t.push(c);
                }
                let closed = self.escaped('}') || self.chars.next_if_eq(&'}').is_some();
                let (a, b) = t.split_once(',').map_or((t.as_str(), None), |(a, b)| (a, Some(b)));
                let low = a.parse::<u32>().unwrap_or(0).min(1000);
                let high = match b {
                    None => low,
                    Some("") => u32::MAX,
                    Some(b) => b.parse::<u32>().unwrap_or(0).min(1000),
                };
                if !closed {
                    return Err("Unmatched { or \\{".to_owned());
                }
                (low, high)
            } else {
                return Ok(atom);
            };
            atom = Re::Repeat(Box::new(atom), low, high);
        }
    }

    fn class(&mut self) -> Result<Re, String> {
        let bad = || "Unmatched [, [^, [:, [., or [=".to_owned();
        let not = self.chars.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        let mut first = true;
        loop {
            let c = self.chars.next().ok_or_else(bad)?;
            if c == ']' && !first {
                return Ok(Re::Class(ranges, not));
            }
            first = false;
            if c == '[' && self.chars.next_if_eq(&':').is_some() {
                let mut name = String::new();
                loop {
                    match self.chars.next().ok_or_else(bad)? {
                        ':' => break,
                        c => name.push(c),
                    }
                }
                self.chars.next_if_eq(&']').ok_or_else(bad)?;
                ranges.extend_from_slice(match name.as_str() {
                    "digit" => &[('0', '9')],
                    "alpha" => &[('a', 'z'), ('A', 'Z')],
                    "alnum" => &[('a', 'z'), ('A', 'Z'), ('0', '9')],
                    "lower" => &[('a', 'z')],
                    "upper" => &[('A', 'Z')],
                    "space" | "blank" => &[(' ', ' '), ('\t', '\r')],
                    _ => return Err("Invalid character class name".to_owned()),
                });
                continue;
            }
            let mut ahead = self.chars.clone();
            if ahead.next() == Some('-')
                && let Some(end) = ahead.next().filter(|e| *e != ']')
            {
                self.chars = ahead;
                if end < c {
                    return Err("Invalid range end".to_owned());
                }
                ranges.push((c, end));
            } else {
                ranges.push((c, c));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching() {
        for (re, extended, text, want) in [
            ("web-[0-9]", false, "pod web-3 x", true),
            ("^web", false, "a web", false),
            ("g$", false, "running", true),
            ("a+b", false, "a+b", true),
            ("a+b", true, "aab", true),
            ("a\\+b", false, "aab", true),
            ("(web|db)-0", true, "db-0", true),
            ("\\(web\\|db\\)-0", false, "db-0", true),
            ("Running|Pending", true, "x Pending", true),
            ("x{2,3}$", true, "axxx", true),
            ("[[:digit:]]+$", true, "ab12", true),
            ("^$", false, "", true),
            ("a.*c", false, "xabbc", true),
            ("[^a]", false, "aaa", false),
            ("(a*)*b", true, "aaaaaaaaaaaaaaaaaaaaaaaac", false),
        ] {
            assert_eq!(Pattern::new(re, extended, false).unwrap().matches(text), want, "{re}");
        }
        assert!(Pattern::new("a(", true, false).is_err());
        assert!(Pattern::new("[a", true, false).is_err());
    }
}
