//! `kubectl events`: events by the time of their last occurrence.

use crate::api::{Kind, Obj, time};
use crate::kubectl::args::Args;
use crate::kubectl::io::{Failure, Io, Job, Res, Run};
use crate::kubectl::output::Output;
use crate::kubectl::print::{Widths, rows};
use crate::kubectl::resources::unknown_type;
use crate::log::{ChangeType, Seq, What};
use crate::value;
use crate::value::{Str, Value};
use crate::world::World;

/// Flags of `events`.
pub const FLAGS: &str = "A,all-namespaces for=s types=l w,watch no-headers o,output=s template=s show-managed-fields allow-missing-template-keys chunk-size=i";

/// Which events are shown, and how.
#[derive(Clone)]
struct Events {
    /// None: all namespaces.
    ns: Option<Str>,
    about: Option<(&'static str, String)>,
    types: Vec<String>,
    headers: bool,
    widths: Widths,
    output: Output,
    seen: Seq,
}

impl Events {
    fn matches(&self, e: &Obj) -> bool {
        let about = &e.value["involvedObject"];
        e.kind == Kind::Event
            && self.ns.as_ref().is_none_or(|ns| *ns == e.ns())
            && self
                .about
                .as_ref()
                .is_none_or(|(k, n)| about["kind"].str() == *k && about["name"].str() == n)
            && (self.types.is_empty()
                || self.types.iter().any(|t| t.eq_ignore_ascii_case(e.value["type"].str())))
    }

    fn show(&mut self, io: &mut Io, events: &[Obj], now: u64) -> Res<()> {
        if !self.output.is_table() {
            let items: Vec<Value> = events.iter().map(|e| e.value.clone()).collect();
            if matches!(self.output, Output::Name) {
                for e in events {
                    io.line(format!("event/{}", e.name()));
                }
                return Ok(());
            }
            let list =
                value!({"apiVersion": "v1", "items": items, "kind": "EventList", "metadata": {}});
            io.print(self.output.value(&list)?);
            return Ok(());
        }
        let mut table = Vec::new();
        if std::mem::take(&mut self.headers) {
            let names = ["NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
            let skip = usize::from(self.ns.is_some());
            table.push(names.iter().skip(skip).map(|n| (*n).to_owned()).collect());
        }
        table.extend(events.iter().map(|e| self.row(e, now)));
        io.print(self.widths.render(&table));
        Ok(())
    }

    fn row(&self, e: &Obj, now: u64) -> Vec<String> {
        let v = &e.value;
        let count = v["series"]["count"].as_int().or(v["count"].as_int()).unwrap_or(1);
        let first =
            if v["firstTimestamp"].is_null() { &v["eventTime"] } else { &v["firstTimestamp"] };
        let mut age = time::human(now.saturating_sub(last(e)));
        if count > 1 {
            age = format!("{age} (x{count} over {})", rows::ago(first, now));
        }
        let o = &v["involvedObject"];
        let mut row = vec![
            age,
            v["type"].str().to_owned(),
            v["reason"].str().to_owned(),
            format!("{}/{}", o["kind"].str(), o["name"].str()),
            v["message"].str().trim().to_owned(),
        ];
        if self.ns.is_none() {
            row.insert(0, e.ns().to_string());
        }
        row
    }
}

/// When an event was last seen.
fn last(e: &Obj) -> u64 {
    let v = &e.value;
    let times = [&v["series"]["lastObservedTime"], &v["lastTimestamp"], &v["eventTime"]];
    times.iter().find_map(|t| t.as_str().and_then(time::parse)).unwrap_or(0)
}

/// `kubectl events`.
pub fn events(w: &mut World, io: &mut Io, args: &Args) -> Run {
    match start(w, io, args) {
        Ok(run) => run,
        Err(f) => Run::Done(io.fail(&f)),
    }
}

fn start(w: &mut World, io: &mut Io, args: &Args) -> Res<Run> {
    let output = Output::of(args)?;
    if matches!(output, Output::Table(true) | Output::Columns(..)) {
        return Err(Output::no_printer(args.text("output"), false));
    }
    let about = match args.get("for").filter(|f| !f.is_empty()) {
        None => None,
        Some(what) => {
            let (kind, name) = what
                .split_once('/')
                .filter(|(k, n)| !k.is_empty() && !n.is_empty())
                .ok_or_else(|| Failure::new("--for must be in resource/name form"))?;
            let kind = Kind::from_word(kind).ok_or_else(|| unknown_type(kind))?;
            Some((kind.info().kind, name.to_owned()))
        }
    };
    let types = args.list("types");
    if types.iter().any(|t| !t.eq_ignore_ascii_case("Normal") && !t.eq_ignore_ascii_case("Warning"))
    {
        return Err(Failure::new("valid --types are Normal or Warning"));
    }
    let mut events = Events {
        ns: (!args.on("all-namespaces")).then(|| args.ns(w)),
        about,
        types,
        headers: !args.on("no-headers"),
        widths: Widths::default(),
        output,
        seen: w.log.len(),
    };
    let mut found: Vec<Obj> =
        w.store.all(Kind::Event).filter(|e| events.matches(e)).cloned().collect();
    found.sort_by_key(last);
    if args.on("watch") {
        if !found.is_empty() {
            events.show(io, &found, w.now)?;
        }
        return Ok(Run::wait(events));
    }
    if found.is_empty() {
        io.err(match &events.ns {
            Some(ns) => format!("No events found in {ns} namespace."),
            None => "No events found.".to_owned(),
        });
        return Ok(Run::Done(0));
    }
    events.show(io, &found, w.now)?;
    Ok(Run::Done(0))
}

impl Job for Events {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        let new: Vec<Obj> = w
            .log
            .since(self.seen)
            .filter_map(|(_, r)| match &r.what {
                What::Change { change, new, .. } if *change != ChangeType::Deleted => Some(new),
                _ => None,
            })
            .filter(|e| self.matches(e))
            .cloned()
            .collect();
        self.seen = w.log.len();
        for e in new {
            if let Err(f) = self.show(io, &[e], w.now) {
                return Some(io.fail(&f));
            }
        }
        None
    }
}
