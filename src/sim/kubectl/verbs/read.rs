//! Small reading commands: `api-resources`, `events`, `diff`, `top`.

use std::fmt::Write as _;

use crate::api::{Kind, Obj, kind};
use crate::apiserver::patch;
use crate::kubectl::args::Args;
use crate::kubectl::files::documents;
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::print::{Widths, rows};
use crate::kubectl::resources::meta;
use crate::kubectl::verbs::apply::modified;
use crate::kubectl::verbs::common::LAST_APPLIED;
use crate::manifest::print::to_yaml;
use crate::value::Value;
use crate::world::World;

fn done(io: &mut Io, result: Res<i32>) -> Run {
    Run::Done(match result {
        Ok(code) => code,
        Err(f) => io.fail(&f),
    })
}

/// `kubectl api-resources`.
pub fn api_resources(_w: &mut World, io: &mut Io, args: &Args) -> Run {
    let group = args.get("api-group");
    let namespaced = args.get("namespaced").map(|v| v == "true");
    let output = args.text("output");
    let mut kinds: Vec<Kind> = kind::ALL
        .iter()
        .copied()
        .filter(|k| group.is_none_or(|g| k.info().group == g))
        .filter(|k| namespaced.is_none_or(|n| k.info().namespaced == n))
        .collect();
    kinds.sort_by_key(|k| (k.info().group, k.info().plural));
    if output == "name" {
        for k in kinds {
            io.line(&*k.resource());
        }
        return Run::Done(0);
    }
    let words = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let mut table = Vec::new();
    if !args.on("no-headers") {
        table.push(words(&["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]));
    }
    for k in kinds {
        let i = k.info();
        let short = i.short.join(",");
        table.push(words(&[
            i.plural,
            &short,
            i.api_version,
            if i.namespaced { "true" } else { "false" },
            i.kind,
        ]));
    }
    io.print(Widths::default().render(&table));
    Run::Done(0)
}

/// `kubectl events`: by the time of their last occurrence.
pub fn events(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let ns = args.ns(w);
    let about = args
        .get("for")
        .and_then(|f| f.split_once('/'))
        .and_then(|(k, n)| Some((Kind::from_word(k)?.info().kind, n.to_owned())));
    let types = args.list("types");
    let mut found: Vec<Obj> = w
        .store
        .all(Kind::Event)
        .filter(|e| args.on("all-namespaces") || e.ns() == ns)
        .filter(|e| {
            let o = &e.value["involvedObject"];
            about.as_ref().is_none_or(|(k, n)| o["kind"].str() == *k && o["name"].str() == n)
        })
        .filter(|e| {
            types.is_empty() || types.iter().any(|t| t.eq_ignore_ascii_case(e.value["type"].str()))
        })
        .cloned()
        .collect();
    if found.is_empty() {
        io.err(format!("No events found in {ns} namespace."));
        return Run::Done(0);
    }
    let last = |e: &Obj| {
        let v = &e.value;
        let times = [&v["series"]["lastObservedTime"], &v["lastTimestamp"], &v["eventTime"]];
        times.iter().find_map(|t| t.as_str().and_then(crate::api::time::parse)).unwrap_or(0)
    };
    found.sort_by_key(last);
    let mut table = Vec::new();
    if !args.on("no-headers") {
        table
            .push(["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"].map(str::to_owned).to_vec());
    }
    for e in &found {
        let v = &e.value;
        let count = v["series"]["count"].as_int().or(v["count"].as_int()).unwrap_or(1);
        let first =
            if v["firstTimestamp"].is_null() { &v["eventTime"] } else { &v["firstTimestamp"] };
        let age = crate::api::time::human(w.now.saturating_sub(last(e)));
        let age = if count > 1 {
            format!("{age} (x{count} over {})", rows::ago(first, w.now))
        } else {
            age
        };
        let o = &v["involvedObject"];
        table.push(vec![
            age,
            v["type"].str().to_owned(),
            v["reason"].str().to_owned(),
            format!("{}/{}", o["kind"].str(), o["name"].str()),
            v["message"].str().trim().to_owned(),
        ]);
    }
    io.print(Widths::default().render(&table));
    Run::Done(0)
}

/// `kubectl top`.
pub fn top(_w: &mut World, io: &mut Io, _args: &Args) -> Run {
    io.err("error: Metrics API not available\nnot simulated: how much pods and nodes use");
    Run::Done(1)
}

/// `kubectl diff -f`: exit status 1 if anything differs.
pub fn diff(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = diff_all(w, io, args);
    done(io, result)
}

fn diff_all(w: &World, io: &mut Io, args: &Args) -> Res<i32> {
    if !args.given("filename") {
        return Err(Failure::new("must specify one of -f and -k"));
    }
    let (docs, failures) = documents(w, io, args)?;
    let mut differs = 0;
    for doc in docs {
        let (ns, name) = meta(&doc.value);
        let live = w.store.get(doc.kind, &ns, &name);
        let mut merged = match live {
            None => doc.value.clone(),
            Some(live) => {
                let last = live.annotation(LAST_APPLIED).unwrap_or("{}");
                let last = crate::manifest::parse::parse(last)
                    .into_iter()
                    .next()
                    .and_then(Result::ok)
                    .map_or_else(Value::map, |d| d.value);
                patch::strategic(
                    &live.value,
                    &patch::three_way(&last, &live.value, &modified(&doc.value)),
                )
            }
        };
        crate::manifest::defaults::apply(doc.kind, &mut merged);
        if live.is_some_and(|l| l.value["spec"] != merged["spec"])
            && !merged["metadata"]["generation"].is_null()
        {
            let next = merged["metadata"]["generation"].int_or(0) + 1;
            merged.entry("metadata").set("generation", next);
        }
        let shown = |v: &Value| {
            let mut v = v.clone();
            if let Some(notes) = v["metadata"].as_map().and_then(|m| m.get("annotations")).cloned()
            {
                let mut notes = notes;
                notes.remove(LAST_APPLIED);
                if notes.is_empty() {
                    v.entry("metadata").remove("annotations");
                } else {
                    v.entry("metadata").set("annotations", notes);
                }
            }
            v
        };
        let before = live.map_or_else(String::new, |l| to_yaml(&shown(&l.value)));
        let after = to_yaml(&shown(&merged));
        if before != after {
            differs = 1;
            let api = doc.kind.info().api_version.replace('/', ".");
            let file = format!("{api}.{}.{ns}.{name}", doc.kind.info().kind);
            io.line(format!("diff -u -N /tmp/LIVE-1/{file} /tmp/MERGED-1/{file}"));
            io.line(format!("--- /tmp/LIVE-1/{file}\n+++ /tmp/MERGED-1/{file}"));
            io.print(unified(&before, &after));
        }
    }
    let code = io.fail_all(&failures);
    Ok(if code != 0 { 2 } else { differs })
}

/// One region of difference with three lines around it.
fn unified(before: &str, after: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let tail =
        a[same..].iter().rev().zip(b[same..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (a_end, b_end) = (a.len() - tail, b.len() - tail);
    let from = same.saturating_sub(3);
    let (a_to, b_to) = ((a_end + 3).min(a.len()), (b_end + 3).min(b.len()));
    let start = |n: usize| if n == 0 { 0 } else { from + 1 };
    let mut out =
        format!("@@ -{},{} +{},{} @@\n", start(a.len()), a_to - from, from + 1, b_to - from);
    for (sign, lines) in [
        (' ', &a[from..same]),
        ('-', &a[same..a_end]),
        ('+', &b[same..b_end]),
        (' ', &a[a_end..a_to]),
    ] {
        for l in lines {
            let _ = writeln!(out, "{sign}{l}");
        }
    }
    out
}
