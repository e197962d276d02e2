//! Lessons: a manifest, steps with goals, a solution and answers that must not pass.
//!
//! A lesson is YAML with `id`, `title`, `text`, `manifest`, `steps`, `solution` and `wrong`;
//! every text is a map by language. A step has `text`, and may have `do`, `predict` (with
//! `question`, `choices`, `answer` and `why`), `goal` and `hints`. A goal is a list of
//! conditions that must all hold, over the world and its history:
//!
//! - `{object: sts/web, path: .status.readyReplicas, equals: 3}`: a field has a value;
//! - `{object: pod/web-3, exists: false}`: an object is (not) there;
//! - `{object: pod/web-0, happened: deleted}`: it was `created`, `ready` or `deleted` at least
//!   once since the lesson began (`times: 2` for at least twice, `times: 0` for never);
//! - `{before: [pod/web-0 ready, pod/web-1 created]}`: the last time these happened, it was in
//!   this order;
//! - `{disk: www-web-0, file: index.html, contains: hello}`: what a claim's volume holds;
//! - `{lookup: web-0.nginx, answers: 2}`: a client asked for this name, as typed, and got at
//!   least so many different answers since the lesson began.

use crate::api::{Key, Kind, Obj};
use crate::kubectl::jsonpath::Template;
use crate::log::{ChangeType, Seq, What};
use crate::manifest::parse::parse;
use crate::value::{Str, Value};
use crate::world::World;

/// How long the cluster may take to come to rest after a command, microseconds.
const PATIENCE: u64 = 600_000_000;

/// What a lesson may have.
const KNOWN: [&str; 7] = ["id", "title", "text", "manifest", "steps", "solution", "wrong"];
/// What a step may have.
const STEP: [&str; 5] = ["text", "do", "predict", "goal", "hints"];
/// What makes a condition what it is, and what else it may have.
const CONDITIONS: [(&str, &[&str]); 6] = [
    ("before", &[]),
    ("disk", &["file", "contains"]),
    ("lookup", &["answers"]),
    ("exists", &["object"]),
    ("happened", &["object", "times"]),
    ("equals", &["object", "path"]),
];

/// A text in several languages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text(Value);

impl Text {
    /// The text in a language, English if there is none.
    pub fn in_language(&self, lang: &str) -> &str {
        self.0[lang].as_str().or_else(|| self.0["en"].as_str()).unwrap_or("")
    }

    /// Languages that it has.
    pub fn languages(&self) -> impl Iterator<Item = &Str> {
        self.0.pairs().map(|(k, _)| k)
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What to do or to look at.
    pub text: Text,
    /// A command that the lesson itself carries out.
    pub act: Option<Str>,
    /// A question before it happens: `question`, `choices`, `answer`, `why`.
    pub predict: Value,
    /// Conditions that must all hold in the end.
    pub goal: Vec<Value>,
    /// Help, one after the other.
    pub hints: Vec<Text>,
}

/// A lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// Short name, unique.
    pub id: Str,
    /// Title.
    pub title: Text,
    /// Introduction.
    pub text: Text,
    /// YAML that is applied when the lesson begins.
    pub manifest: Str,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Commands that meet all goals.
    pub solution: Vec<Str>,
    /// Lists of commands that must not.
    pub wrong: Vec<Vec<Str>>,
}

fn strings(v: &Value) -> Vec<Str> {
    v.items().iter().map(Value::to_str).collect()
}

impl Step {
    /// Do all conditions of the goal hold? `begin` is the log's length when the lesson began.
    pub fn met(&self, w: &World, begin: Seq) -> bool {
        self.goal.iter().all(|c| Condition::read(c).is_ok_and(|c| c.holds(w, begin)))
    }

    /// The question that is asked before the step, if any.
    pub fn question(&self) -> Option<Question> {
        let p = &self.predict;
        (!p.is_null()).then(|| Question {
            text: Text(p["question"].clone()),
            choices: p["choices"].items().iter().map(|c| Text(c.clone())).collect(),
            answer: usize::try_from(p["answer"].int_or(0)).unwrap_or(0),
            why: Text(p["why"].clone()),
        })
    }
}

/// A question before something happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What is asked.
    pub text: Text,
    /// What can be answered.
    pub choices: Vec<Text>,
    /// The right choice, from 0.
    pub answer: usize,
    /// Why it is right.
    pub why: Text,
}

impl Lesson {
    /// Reads a lesson.
    ///
    /// # Errors
    /// What is wrong with it, with its line where there is one.
    pub fn read(text: &str) -> Result<Self, String> {
        let document = match parse(text).into_iter().next() {
            Some(Ok(d)) => d,
            Some(Err(why)) => return Err(format!("line {}: {why}", why.span.line)),
            None => return Err("the lesson is empty".into()),
        };
        let v = &document.value;
        for key in ["id", "title", "manifest", "steps", "solution"] {
            if v[key].is_empty() {
                return Err(format!("the lesson has no {key}"));
            }
        }
        if let Some((key, _)) = v.pairs().find(|(k, _)| !KNOWN.contains(&k.as_str())) {
            let line = document.spans.key(key).line;
            return Err(format!("line {line}: a lesson has no {key}"));
        }
        for key in ["steps", "solution"] {
            if v[key].items().is_empty() {
                return Err(format!("line {}: {key} must be a list", document.spans.key(key).line));
            }
        }
        let mut steps = Vec::new();
        for (i, s) in v["steps"].items().iter().enumerate() {
            let wrong = s.pairs().find(|(k, _)| !STEP.contains(&k.as_str()));
            if wrong.is_some() || s["text"].pairs().next().is_none() {
                let line = document.spans.key(&format!("steps[{i}]")).line;
                return Err(match wrong {
                    Some((key, _)) => format!("line {line}: a step has no {key}"),
                    None => format!("line {line}: a step needs a text, a map by language"),
                });
            }
            let goal: Vec<Value> = match &s["goal"] {
                Value::Null => Vec::new(),
                Value::List(l) => l.to_vec(),
                one => vec![one.clone()],
            };
            for (n, condition) in goal.iter().enumerate() {
                Condition::read(condition).map_err(|why| {
                    let line = document.spans.key(&format!("steps[{i}].goal[{n}]")).line;
                    format!("line {line}: {why}")
                })?;
            }
            let choices = s["predict"]["choices"].len() as i64;
            if s.has("predict") && !(0..choices).contains(&s["predict"]["answer"].int_or(-1)) {
                let line = document.spans.key(&format!("steps[{i}].predict")).line;
                return Err(format!("line {line}: answer must be the number of a choice, from 0"));
            }
            steps.push(Step {
                text: Text(s["text"].clone()),
                act: s["do"].as_str().map(crate::value::text),
                predict: s["predict"].clone(),
                goal,
                hints: s["hints"].items().iter().map(|h| Text(h.clone())).collect(),
            });
        }
        Ok(Self {
            id: v["id"].to_str(),
            title: Text(v["title"].clone()),
            text: Text(v["text"].clone()),
            manifest: v["manifest"].to_str(),
            steps,
            solution: strings(&v["solution"]),
            wrong: v["wrong"].items().iter().map(strings).collect(),
        })
    }

    /// Plays commands against the lesson; gives for each goal its words and whether it is met.
    pub fn judge(&self, world: World, answer: &[Str]) -> Vec<(String, bool)> {
        let mut w = world;
        w.put_file("lesson.yaml", &self.manifest);
        let run = |w: &mut World, line: &str| {
            let (term, line) = terminal(line);
            match line {
                "^C" => w.interrupt(term),
                _ => w.type_line(term, line),
            }
            w.settle(PATIENCE);
            let waits = |w: &World| w.terminal(1).is_some_and(|t| t.running() && !t.reads());
            // it waits for something that does not happen: the next line must not be its input
            if waits(w) {
                w.run_until(w.now.saturating_add(PATIENCE));
                if waits(w) {
                    w.interrupt(1);
                }
            }
        };
        run(&mut w, "kubectl apply -f lesson.yaml");
        let begin = w.log.len();
        for step in &self.steps {
            if let Some(act) = &step.act {
                run(&mut w, act);
            }
        }
        for line in answer {
            match line.split_once(' ') {
                Some(("node-down", name)) => w.node_down(name.trim()),
                Some(("node-up", name)) => w.node_up(name.trim()),
                _ => run(&mut w, line),
            }
            w.settle(PATIENCE);
        }
        let goals = self.steps.iter().filter(|s| !s.goal.is_empty());
        goals.map(|s| (s.text.in_language("en").trim().to_owned(), s.met(&w, begin))).collect()
    }
}

/// `@2 kubectl get pods -w` is for another terminal, 2 to 9.
fn terminal(line: &str) -> (u8, &str) {
    let other = line.strip_prefix('@').and_then(|l| l.split_once(' '));
    let other = other.and_then(|(n, rest)| Some((n.parse().ok()?, rest.trim())));
    other.filter(|(n, _)| (2..=9).contains(n)).unwrap_or((1, line))
}

/// Something that happens to an object.
#[derive(Clone, PartialEq, Debug)]
struct Moment {
    object: Key,
    what: Happening,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Happening {
    Created,
    Ready,
    Deleted,
}

/// A condition, read.
#[derive(Clone, Debug)]
enum Condition {
    Field { object: Key, path: Template, equals: Value },
    Exists { object: Key, exists: bool },
    Happened { moment: Moment, times: i64 },
    Before(Moment, Moment),
    Disk { claim: Key, file: Str, contains: Str },
    Lookup { name: Str, answers: i64 },
}

fn key(word: &str) -> Result<Key, String> {
    let (kind, name) = word.split_once('/').ok_or_else(|| format!("{word:?} is not kind/name"))?;
    let kind = Kind::from_word(kind).ok_or_else(|| format!("there is no kind {kind:?}"))?;
    let ns = if kind.info().namespaced { "default" } else { "" };
    Ok(Key::new(kind, ns, crate::value::text(name)))
}

fn happening(word: &str) -> Result<Happening, String> {
    match word {
        "created" => Ok(Happening::Created),
        "ready" => Ok(Happening::Ready),
        "deleted" => Ok(Happening::Deleted),
        other => Err(format!("{other:?} is none of created, ready, deleted")),
    }
}

fn moment(words: &str) -> Result<Moment, String> {
    let (object, what) =
        words.split_once(' ').ok_or_else(|| format!("{words:?} is not `kind/name happening`"))?;
    Ok(Moment { object: key(object)?, what: happening(what.trim())? })
}

impl Condition {
    fn read(v: &Value) -> Result<Self, String> {
        let none = "a goal needs path and equals, exists, happened, before, disk or lookup";
        let (name, others) = CONDITIONS.iter().find(|(name, _)| v.has(name)).ok_or(none)?;
        let known = |k: &str| k == *name || others.contains(&k);
        if let Some((key, _)) = v.pairs().find(|(k, _)| !known(k.as_str())) {
            return Err(format!("a goal with {name} has no {key}"));
        }
        let number = |key: &str| match &v[key] {
            Value::Null => Ok(1),
            given => given.as_int().ok_or_else(|| format!("{key} must be a whole number")),
        };
        let object = || key(v["object"].str());
        Ok(match *name {
            "before" => {
                let [first, second] = v["before"].items() else {
                    return Err("before needs two moments".into());
                };
                Self::Before(moment(first.str())?, moment(second.str())?)
            }
            "disk" if v["file"].is_empty() => return Err("a goal with disk needs a file".into()),
            "disk" => Self::Disk {
                claim: key(&format!("pvc/{}", v["disk"].str()))?,
                file: v["file"].to_str(),
                contains: v["contains"].to_str(),
            },
            "lookup" => Self::Lookup { name: v["lookup"].to_str(), answers: number("answers")? },
            "exists" => {
                let exists = v["exists"].as_bool().ok_or("exists must be true or false")?;
                Self::Exists { object: object()?, exists }
            }
            "happened" => {
                let what = happening(v["happened"].str())?;
                Self::Happened {
                    moment: Moment { object: object()?, what },
                    times: number("times")?,
                }
            }
            _ if v["path"].is_empty() => return Err(none.into()),
            _ => Self::Field {
                object: object()?,
                path: Template::relaxed(v["path"].str())?,
                equals: v["equals"].clone(),
            },
        })
    }

    fn holds(&self, w: &World, begin: Seq) -> bool {
        match self {
            Self::Exists { object, exists } => w.store.by_key(object).is_some() == *exists,
            Self::Field { object, path, equals } => w
                .store
                .by_key(object)
                .is_some_and(|o| path.values(&o.value).first().is_some_and(|v| v == equals)),
            Self::Happened { moment, times } => {
                let n = moments(w, begin, moment).count() as i64;
                if *times == 0 { n == 0 } else { n >= *times }
            }
            Self::Before(a, b) => {
                let last = |m| moments(w, 0, m).last();
                last(a).zip(last(b)).is_some_and(|(a, b)| a < b)
            }
            Self::Lookup { name, answers } => {
                let mut seen: Vec<&[Str]> = Vec::new();
                for (_, record) in w.log.since(begin) {
                    if let What::Lookup { name: asked, answer, .. } = &record.what
                        && asked == name
                        && !answer.is_empty()
                        && !seen.contains(&&**answer)
                    {
                        seen.push(answer);
                    }
                }
                seen.len() as i64 >= *answers
            }
            Self::Disk { claim, file, contains } => {
                let volume = w.store.by_key(claim).and_then(|c| {
                    w.store.get(Kind::PersistentVolume, "", c.spec()["volumeName"].str())
                });
                let files = volume.map(|pv| crate::storage::mounts::contents(w, pv));
                files.into_iter().flatten().any(|(path, text)| {
                    path.trim_start_matches('/') == file.as_str()
                        && text.contains(contains.as_str())
                })
            }
        }
    }
}

fn moments<'a>(w: &'a World, begin: Seq, m: &'a Moment) -> impl Iterator<Item = Seq> + 'a {
    let ready = |o: &Obj| o.kind == Kind::Pod && o.pod().ready;
    w.log.since(begin).filter_map(move |(seq, r)| {
        let What::Change { change, old, new } = &r.what else { return None };
        let hit = new.key() == m.object
            && match m.what {
                Happening::Created => *change == ChangeType::Added,
                Happening::Deleted => *change == ChangeType::Deleted,
                Happening::Ready => ready(new) && !old.as_ref().is_some_and(ready),
            };
        hit.then_some(seq)
    })
}
