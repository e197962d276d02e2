//! Flags and arguments as kubectl (pflag) reads them.

use crate::api::time::SECOND;
use crate::kubectl::io::{Failure, Res};
use crate::value::Str;
use crate::world::World;

/// Flags that every command takes.
const GLOBAL: &str = "n,namespace=s context=s cluster=s user=s kubeconfig=s s,server=s v,v=s request-timeout=s as=l as-group=l token=s username=s password=s cache-dir=s certificate-authority=s client-certificate=s client-key=s insecure-skip-tls-verify match-server-version disable-compression tls-server-name=s warnings-as-errors log-flush-frequency=s profile=s profile-output=s kuberc=s vmodule=s h,help";

/// Stands for the flags of a command that takes whatever is typed.
pub const ANY: &str = "...";

/// Flags of the commands that read files and select objects.
const COMMON: &str = "f,filename=l R,recursive k,kustomize=s o,output=s template=s show-managed-fields allow-missing-template-keys dry-run=?unchanged l,selector=s field-manager=s";

/// A command line taken apart.
#[derive(Clone, Debug, Default)]
pub struct Args {
    /// The command, `rollout status`.
    pub verb: &'static str,
    /// Arguments that are no flags.
    pub pos: Vec<String>,
    /// How many of them stood before `--`, if there was one.
    pub dash: Option<usize>,
    flags: Vec<(&'static str, String)>,
}

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Text,
    Int,
    Duration,
    Maybe(&'static str),
}

/// The flags of a spec, see [`Args::parse`].
fn each(spec: &'static str) -> impl Iterator<Item = Known> {
    spec.split_ascii_whitespace().filter(|t| *t != ANY).map(|token| {
        let (names, kind) = token.split_once('=').map_or((token, None), |(n, k)| (n, Some(k)));
        let (short, name) = match names.split_once(',') {
            Some((s, l)) => (s.chars().next(), l),
            None => (None, names),
        };
        let takes = match kind {
            None => Takes::Nothing,
            Some("i") => Takes::Int,
            Some("d") => Takes::Duration,
            Some(k) => k.strip_prefix('?').map_or(Takes::Text, Takes::Maybe),
        };
        Known { name, short, takes, many: kind == Some("l") }
    })
}

/// Does a flag that stands before the command take the next word as its value?
pub fn global_takes_next(word: &str) -> bool {
    if word.contains('=') {
        return false;
    }
    let known = match word.strip_prefix("--") {
        Some(long) => flag("", Some(long), None),
        None => word
            .get(1..)
            .filter(|w| w.chars().count() == 1)
            .and_then(|w| flag("", None, w.chars().next())),
    };
    known.is_some_and(|k| k.takes_value())
}

/// The flags of a command as its help lists them: `-f, --filename=[]`.
pub fn listed(spec: &'static str) -> Vec<String> {
    if spec == ANY {
        return Vec::new();
    }
    let common = if spec.starts_with('+') { COMMON } else { "" };
    let all = [spec.trim_start_matches('+'), common];
    let mut tokens: Vec<&str> = all.into_iter().flat_map(str::split_ascii_whitespace).collect();
    let long =
        |t: &&str| t.split('=').next().and_then(|n| n.rsplit(',').next()).unwrap_or("").to_owned();
    tokens.sort_by_key(long);
    tokens.into_iter().map(shown).collect()
}

/// The flags of all commands.
pub fn listed_global() -> Vec<String> {
    listed(GLOBAL)
}

fn shown(token: &str) -> String {
    let (names, kind) = token.split_once('=').unwrap_or((token, ""));
    let (short, long) = match names.split_once(',') {
        Some((s, l)) => (format!("-{s}, "), l),
        None => (String::new(), names),
    };
    let value = match kind {
        "" => "false",
        "l" => "[]",
        "i" => "0",
        "d" => "0s",
        "s" => "''",
        k => k.trim_start_matches('?'),
    };
    format!("{short}--{long}={value}")
}

/// The parts of a command's spec: its own flags, the common ones if it has them, those that
/// every command takes.
fn parts(spec: &'static str) -> [&'static str; 3] {
    let own = spec.trim_start_matches('+');
    [own, if own.len() < spec.len() { COMMON } else { "" }, GLOBAL]
}

/// The flag of a command (by its spec) that has this name or this letter.
pub fn flag(spec: &'static str, long: Option<&str>, short: Option<char>) -> Option<Known> {
    parts(spec)
        .into_iter()
        .flat_map(each)
        .find(|k| long.is_some_and(|x| x == k.name) || short.is_some() && short == k.short)
}

/// A command's own flags and the common ones if it has them.
pub fn offered(spec: &'static str) -> impl Iterator<Item = Known> {
    let [own, common, _] = parts(spec);
    each(own).chain(each(common))
}

/// A flag that a command knows.
pub struct Known {
    /// `namespace`.
    pub name: &'static str,
    /// `n`.
    pub short: Option<char>,
    takes: Takes,
    /// May it be given several times?
    pub many: bool,
}

impl Known {
    /// Is the next word its value, if none stands after `=`?
    pub fn takes_value(&self) -> bool {
        !matches!(self.takes, Takes::Nothing | Takes::Maybe(_))
    }

    fn check(&self, value: &str) -> Result<(), String> {
        let why = match self.takes {
            Takes::Nothing if parse_bool(value).is_none() => {
                format!("strconv.ParseBool: parsing {value:?}: invalid syntax")
            }
            Takes::Int => match value.parse::<i64>() {
                Ok(_) => return Ok(()),
                Err(_)
                    if value.trim_start_matches(['-', '+']).bytes().all(|b| b.is_ascii_digit())
                        && value.bytes().any(|b| b.is_ascii_digit()) =>
                {
                    format!("strconv.ParseInt: parsing {value:?}: value out of range")
                }
                Err(_) => format!("strconv.ParseInt: parsing {value:?}: invalid syntax"),
            },
            Takes::Duration => match duration(value) {
                Ok(_) => return Ok(()),
                Err(why) => why,
            },
            _ => return Ok(()),
        };
        let name = match self.short {
            Some(s) => format!("-{s}, --{}", self.name),
            None => format!("--{}", self.name),
        };
        Err(format!("invalid argument {value:?} for {name:?} flag: {why}"))
    }
}

fn parse_bool(s: &str) -> Option<bool> {
    match s {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// A Go duration (`30s`, `1m30s`, `500ms`, `0`) in microseconds; negative ones are allowed.
///
/// # Errors
/// Go's text for what is no duration.
pub fn duration(s: &str) -> Result<i64, String> {
    let bad = || format!("time: invalid duration {s:?}");
    let (sign, mut rest) = match s.strip_prefix('-') {
        Some(r) => (-1, r),
        None => (1, s.strip_prefix('+').unwrap_or(s)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(bad());
    }
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let number: f64 = number.parse().map_err(|_| bad())?;
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let micros = match unit {
            "ns" => 0.001,
            "us" | "µs" | "μs" => 1.0,
            "ms" => 1e3,
            "s" => 1e6,
            "m" => 6e7,
            "h" => 3.6e9,
            "" => return Err(format!("time: missing unit in duration {s:?}")),
            u => return Err(format!("time: unknown unit {u:?} in duration {s:?}")),
        };
        total += number * micros;
        rest = tail;
    }
    Ok(sign * total as i64)
}

impl Args {
    /// The command line as `--record` writes it down: flags come last, each with its value.
    pub fn command(&self) -> String {
        let mut text = format!("kubectl {}", self.verb);
        for word in &self.pos {
            text.push(' ');
            text.push_str(word);
        }
        for (name, value) in &self.flags {
            text.push_str(&format!(" --{name}={value}"));
        }
        text
    }

    /// Takes a command line apart. `spec` lists the command's own flags, separated by spaces:
    /// `f,filename=l` is `-f`/`--filename` with a value; kinds are `s` text, `l` repeatable
    /// text, `i` whole number, `d` duration, `?x` an optional value that is `x` when only the
    /// flag is given; no kind: a switch. A spec that begins with `+` includes `-f`, `-R`, `-k`,
    /// `-o`, `-l`, `--dry-run` and what goes with them.
    ///
    /// # Errors
    /// Unknown flags, missing and malformed values, in kubectl's words.
    pub fn parse(verb: &'static str, spec: &'static str, words: &[String]) -> Res<Self> {
        let mut args = Self { verb, ..Self::default() };
        args.read(spec, words).map_err(|why| args.bad_flag(&why))?;
        Ok(args)
    }

    /// An error about a flag.
    pub fn bad_flag(&self, why: &str) -> Failure {
        let path = if self.verb.is_empty() { String::new() } else { format!("{} ", self.verb) };
        Failure::raw(format!("error: {why}\nSee 'kubectl {path}--help' for usage."))
    }

    fn read(&mut self, spec: &'static str, words: &[String]) -> Result<(), String> {
        if spec == ANY {
            return Ok(());
        }
        let known = |long: Option<&str>, short: Option<char>| flag(spec, long, short);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                self.dash = Some(self.pos.len());
                self.pos.extend(words.cloned());
                return Ok(());
            }
            if let Some(long) = word.strip_prefix("--") {
                let (name, value) =
                    long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
                if name.is_empty() || name.starts_with('-') {
                    return Err(format!("bad flag syntax: {word}"));
                }
                // underscores are taken for hyphens
                let flag = known(Some(&name.replace('_', "-")), None)
                    .ok_or_else(|| format!("unknown flag: --{name}"))?;
                let value = match (value, flag.takes) {
                    (Some(v), _) => v.to_owned(),
                    (None, Takes::Nothing) => "true".to_owned(),
                    (None, Takes::Maybe(default)) => default.to_owned(),
                    (None, _) => words
                        .next()
                        .cloned()
                        .ok_or_else(|| format!("flag needs an argument: --{name}"))?,
                };
                flag.check(&value)?;
                self.flags.push((flag.name, value));
            } else if word.len() > 1 && word.starts_with('-') {
                let group = &word[1..];
                for (i, c) in group.char_indices() {
                    let flag = known(None, Some(c))
                        .ok_or_else(|| format!("unknown shorthand flag: {c:?} in -{group}"))?;
                    let rest = &group[i + c.len_utf8()..];
                    if let Some(v) = rest.strip_prefix('=') {
                        flag.check(v)?;
                        self.flags.push((flag.name, v.to_owned()));
                        break;
                    }
                    match flag.takes {
                        Takes::Nothing => self.flags.push((flag.name, "true".to_owned())),
                        Takes::Maybe(default) => {
                            self.flags.push((flag.name, default.to_owned()));
                        }
                        _ => {
                            let value = if rest.is_empty() {
                                words.next().cloned().ok_or_else(|| {
                                    format!("flag needs an argument: {c:?} in -{group}")
                                })?
                            } else {
                                rest.to_owned()
                            };
                            flag.check(&value)?;
                            self.flags.push((flag.name, value));
                            break;
                        }
                    }
                }
            } else {
                self.pos.push(word.clone());
            }
        }
        Ok(())
    }

    /// Is it a command whose `-o` knows tables?
    pub fn prints_tables(&self) -> bool {
        self.verb == "get"
    }

    /// An error about the command's usage, which points to its help.
    pub fn usage(&self, why: &str) -> Failure {
        Failure::raw(format!("error: {why}\nSee 'kubectl {} -h' for help and examples", self.verb))
    }

    /// Was the flag given at all?
    pub fn given(&self, name: &str) -> bool {
        self.flags.iter().any(|(n, _)| *n == name)
    }

    /// Is the switch on?
    pub fn on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|v| parse_bool(v) == Some(true))
    }

    /// Is the switch on, `default` if it was not given?
    pub fn on_or(&self, name: &str, default: bool) -> bool {
        self.get(name).and_then(parse_bool).unwrap_or(default)
    }

    /// The last value of a flag.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(n, _)| *n == name).map(|(_, v)| v.as_str())
    }

    /// The last value of a flag, or "".
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or("")
    }

    /// All values of a flag.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.flags.iter().filter(move |(n, _)| *n == name).map(|(_, v)| v.as_str())
    }

    /// All values of a flag, taken apart at commas.
    pub fn list(&self, name: &str) -> Vec<String> {
        let given = self.all(name).filter(|v| !v.is_empty());
        given.flat_map(|v| v.split(',')).map(str::to_owned).collect()
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    /// A duration in microseconds; negative: none at all (for ever).
    pub fn duration(&self, name: &str) -> Option<i64> {
        duration(self.get(name)?).ok()
    }

    /// The namespace of the command: `-n`, or the current one.
    pub fn ns(&self, w: &World) -> Str {
        self.given_ns().unwrap_or_else(|| w.terminals.namespace.clone())
    }

    /// The namespace given with `-n`.
    pub fn given_ns(&self) -> Option<Str> {
        self.get("namespace").filter(|n| !n.is_empty()).map(crate::value::text)
    }

    /// `--timeout` in microseconds from now: when the command gives up; none if 0 or absent
    /// and the command has no limit of its own.
    pub fn deadline(&self, w: &World, default: Option<u64>) -> Option<u64> {
        match self.duration("timeout") {
            Some(0) | None => default.map(|d| w.now + d),
            // kubectl takes a negative limit as a week
            Some(d) => Some(w.now + u64::try_from(d).unwrap_or(7 * 86_400 * SECOND)),
        }
    }

    /// `--dry-run`: `none`, `client` or `server`.
    ///
    /// # Errors
    /// Another word.
    pub fn dry_run(&self) -> Res<DryRun> {
        match self.get("dry-run") {
            None | Some("none") => Ok(DryRun::None),
            Some("client") => Ok(DryRun::Client),
            Some("server") => Ok(DryRun::Server),
            Some("unchanged") => Err(Failure::new(
                "--dry-run flag without a value was specified. A value must be set: \"none\", \"server\", or \"client\".",
            )),
            Some(other) => Err(Failure::new(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }
}

/// `--dry-run`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DryRun {
    /// In earnest.
    #[default]
    None,
    /// Nothing is sent.
    Client,
    /// The server checks and forgets.
    Server,
}

impl DryRun {
    /// What is appended to a result line.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = "f,filename=l replicas=i timeout=d w,watch i,stdin t,tty dry-run=?unchanged";

    fn parse(line: &str) -> Res<Args> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Args::parse("get", SPEC, &words)
    }

    #[test]
    fn forms_of_flags() {
        let a = parse("sts web -nfoo -it --replicas=3 -f a -f=b --dry-run x -- -y").unwrap();
        assert_eq!(a.pos, ["sts", "web", "x", "-y"]);
        assert_eq!(a.dash, Some(3));
        assert_eq!(a.get("namespace"), Some("foo"));
        assert!(a.on("stdin") && a.on("tty") && !a.on("watch"));
        assert_eq!(a.int("replicas"), Some(3));
        assert_eq!(a.all("filename").collect::<Vec<_>>(), ["a", "b"]);
        assert!(a.dry_run().is_err());
    }

    #[test]
    fn what_is_wrong() {
        let err = |line: &str| parse(line).unwrap_err().text;
        let see = "\nSee 'kubectl get --help' for usage.";
        assert_eq!(err("--foo"), format!("error: unknown flag: --foo{see}"));
        assert_eq!(err("-z"), format!("error: unknown shorthand flag: 'z' in -z{see}"));
        assert_eq!(err("--replicas"), format!("error: flag needs an argument: --replicas{see}"));
        assert_eq!(
            err("--replicas=abc"),
            format!(
                "error: invalid argument \"abc\" for \"--replicas\" flag: strconv.ParseInt: parsing \"abc\": invalid syntax{see}"
            )
        );
        assert_eq!(
            err("--timeout 5"),
            format!(
                "error: invalid argument \"5\" for \"--timeout\" flag: time: missing unit in duration \"5\"{see}"
            )
        );
    }

    #[test]
    fn durations() {
        assert_eq!(duration("1m30s"), Ok(90_000_000));
        assert_eq!(duration("500ms"), Ok(500_000));
        assert_eq!(duration("-1s"), Ok(-1_000_000));
        assert!(duration("x").is_err());
    }
}
