//! `kubectl edit`: the object as a text in an editor, and a patch of what was changed there
//! (behaviour/kubectl.md 3).
//!
//! The editor is the program that `KUBE_EDITOR` or `EDITOR` names (`sed -i …`), or else the one
//! of the page: the text waits in [`State::edits`](crate::kubectl::State) until it is saved or
//! closed there.

use crate::api::Obj;
use crate::apiserver::error::Reason;
use crate::apiserver::three_way::three_way;
use crate::apiserver::{PatchType, Sub};
use crate::kubectl::args::{Args, DryRun};
use crate::kubectl::io::{Io, Job, Run};
use crate::kubectl::resources::{Options, select, slashed};
use crate::kubectl::terminal::Editing;
use crate::kubectl::verbs::apply::modified;
use crate::kubectl::verbs::common::{LAST_APPLIED, ask, file_options};
use crate::kubectl::verbs::last_applied;
use crate::manifest::{parse, print};
use crate::shell::{Place, Script, Shell};
use crate::value;
use crate::value::{Str, Value, text};
use crate::world::World;

const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";

/// The same for the file that `apply` remembers.
const HEADER_APPLIED: &str = "# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
";

/// `kubectl apply edit-last-applied`.
pub fn applied(w: &mut World, io: &mut Io, args: &Args) -> Run {
    edit(w, io, args)
}

/// Is the remembered file edited, not the object?
fn of_applied(args: &Args) -> bool {
    args.verb == "apply edit-last-applied"
}

/// `kubectl edit`.
pub fn edit(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let objs: Vec<Obj> = match select(w, io, args, &args.pos, Options::default()) {
        Err(f) => return Run::Done(io.fail(&f)),
        Ok(s) if !s.failures.is_empty() => return Run::Done(io.fail_all(&s.failures)),
        Ok(s) => s.targets.into_iter().map(|t| t.obj).collect(),
    };
    if objs.is_empty() {
        io.err("error: edit cancelled, no objects found");
        return Run::Done(1);
    }
    if of_applied(args) && objs.iter().any(|o| last_applied::of(o).is_none()) {
        io.err("error: no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`");
        return Run::Done(1);
    }
    if io.editor.is_empty() && !w.terminals.editor {
        io.err("error: not simulated: an editor in the terminal; set KUBE_EDITOR to a command such as 'sed -i …', or use kubectl patch");
        return Run::Done(1);
    }
    let whole = match objs.as_slice() {
        [one] => shown(args, one),
        many => {
            let items: Vec<Value> = many.iter().map(|o| shown(args, o)).collect();
            value!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {}})
        }
    };
    let original = print::to_yaml(&whole);
    let mut job = Edit {
        args: args.clone(),
        objs,
        file: format!("/tmp/kubectl-edit-{}.yaml", 100_000 + w.log.len()).into(),
        original: original.clone(),
        refused: None,
        program: None,
    };
    match job.open(w, io, &format!("{}{original}", header(args, &[]))) {
        Ok(()) => Run::wait(job),
        Err(code) => Run::Done(code),
    }
}

/// An object as the editor shows it.
fn shown(args: &Args, obj: &Obj) -> Value {
    if of_applied(args) {
        return last_applied::of(obj).unwrap_or_default();
    }
    let mut value = obj.value.clone();
    if !args.on("show-managed-fields") {
        value.entry("metadata").remove("managedFields");
    }
    value
}

/// The text without lines of comment.
fn stripped(t: &str) -> String {
    let kept = t.lines().filter(|l| !l.trim_start().starts_with('#'));
    kept.flat_map(|l| [l, "\n"]).collect()
}

/// A reason to reopen the file: its line, and what belongs to it.
struct Complaint {
    head: String,
    others: Vec<String>,
}

/// What became of a saved text.
enum Saved {
    /// The command ends.
    End(i32),
    /// The editor is opened again, and says why.
    Again(Vec<Complaint>),
}

#[derive(Clone)]
struct Edit {
    args: Args,
    objs: Vec<Obj>,
    file: Str,
    original: String,
    /// What was saved last and could not be used, comments left out.
    refused: Option<String>,
    /// The editor that `KUBE_EDITOR` names.
    program: Option<Box<dyn Job>>,
}

impl Edit {
    fn open(&mut self, w: &mut World, io: &mut Io, t: &str) -> Result<(), i32> {
        if io.editor.is_empty() {
            let editing = Editing { file: self.file.clone(), text: text(t), saved: None };
            w.terminals.edits.insert(io.term, editing);
            return Ok(());
        }
        w.terminals.files.insert(self.file.clone(), text(t));
        let line = format!("{} {}", io.editor, self.file);
        let script = Script::new(Shell::new(Place::Host, io.term), io, &line, false)?;
        self.program = Some(Box::new(script));
        Ok(())
    }

    /// The text of the editor when it was closed; none while it is open.
    fn closed(&mut self, w: &mut World, io: &mut Io) -> Option<Result<Str, i32>> {
        if let Some(program) = &mut self.program {
            let status = program.poll(w, io)?;
            self.program = None;
            if status != 0 {
                let why = format!("there was a problem with the editor {:?}", io.editor.as_str());
                return Some(Err(self.keep(w, io, &why)));
            }
            return Some(Ok(w.terminals.files.remove(&self.file).unwrap_or_default()));
        }
        let editing = w.terminals.edits.get(&io.term)?;
        let closed = editing.saved.clone()?;
        w.terminals.edits.remove(&io.term);
        Some(Ok(closed))
    }

    /// Ends with an error; the text stays as a file.
    fn keep(&self, w: &mut World, io: &mut Io, why: &str) -> i32 {
        if w.terminals.files.contains_key(&self.file) {
            io.err(format!("A copy of your changes has been stored to {:?}", self.file.as_str()));
        }
        io.err(format!("error: {why}"));
        1
    }

    fn saved(&mut self, w: &mut World, io: &mut Io, t: &Str) -> Saved {
        let plain = stripped(t);
        if self.refused.as_ref() == Some(&plain) {
            w.terminals.files.insert(self.file.clone(), t.clone());
            return Saved::End(self.keep(w, io, "Edit cancelled, no valid changes were saved."));
        }
        if plain == stripped(&self.original) {
            io.err("Edit cancelled, no changes made.");
            return Saved::End(0);
        }
        if plain.trim().is_empty() {
            io.err("Edit cancelled, saved file was empty.");
            return Saved::End(0);
        }
        self.refused = Some(plain);
        let mut values = Vec::new();
        for document in parse::parse(t) {
            match document {
                Ok(doc) if doc.value["kind"].str() == "List" => {
                    values.extend_from_slice(doc.value["items"].items());
                }
                Ok(doc) => values.push(doc.value),
                Err(why) => {
                    let head = format!(
                        "The edited file had a syntax error: error parsing edited-file: error converting YAML to JSON: {why}"
                    );
                    return Saved::Again(vec![Complaint { head, others: Vec::new() }]);
                }
            }
        }
        self.send(w, io, t, &values)
    }

    /// Patches what was changed.
    fn send(&self, w: &mut World, io: &mut Io, t: &Str, values: &[Value]) -> Saved {
        let mut reasons = Vec::new();
        let mut code = 0;
        for value in values {
            let meta = &value["metadata"];
            let same = |o: &&Obj| {
                if of_applied(&self.args) {
                    let (ns, name) = (meta["namespace"].str(), meta["name"].str());
                    value["kind"].str() == o.kind.info().kind
                        && *name == *o.name()
                        && (ns.is_empty() || *ns == *o.ns())
                } else {
                    o.uid() == meta["uid"].str()
                }
            };
            let Some(old) = self.objs.iter().find(same) else {
                w.terminals.files.insert(self.file.clone(), t.clone());
                return Saved::End(self.keep(w, io, "no original object found"));
            };
            let before = shown(&self.args, old);
            let same = |path: &str| before.at(path) == value.at(path);
            if !(same("apiVersion") && same("kind") && same("metadata.name")) {
                w.terminals.files.insert(self.file.clone(), t.clone());
                let why = "At least one of apiVersion, kind and name was changed";
                return Saved::End(self.keep(w, io, why));
            }
            let named = format!("{} {:?}", old.kind.resource(), old.name().as_str());
            match self.patch(w, io, old, &before, value) {
                Ok(()) => {}
                Err(Trouble::Invalid(others)) => {
                    io.err(format!("error: {named} is invalid"));
                    reasons.push(Complaint { head: format!("{named} was not valid"), others });
                }
                Err(Trouble::Gone) => {
                    io.err(format!("error: {named} could not be found on the server"));
                    code = 1;
                }
                Err(Trouble::Other(why)) => {
                    io.err(format!("error: {named} could not be patched: {why}"));
                    w.terminals.files.insert(self.file.clone(), t.clone());
                    io.err(format!(
                        "You can run `kubectl replace -f {}` to try this update again.",
                        self.file
                    ));
                    return Saved::End(1);
                }
            }
        }
        if code == 1 {
            w.terminals.files.insert(self.file.clone(), t.clone());
            io.err(format!(
                "The edits you made on deleted resources have been saved to {:?}",
                self.file.as_str()
            ));
        }
        if reasons.is_empty() { Saved::End(code) } else { Saved::Again(reasons) }
    }

    fn patch(
        &self,
        w: &mut World,
        io: &mut Io,
        old: &Obj,
        before: &Value,
        edited: &Value,
    ) -> Result<(), Trouble> {
        let change = if !of_applied(&self.args) {
            three_way(old.kind, before, before, edited)
        } else if before == edited {
            Value::map()
        } else {
            let note = modified(edited)["metadata"]["annotations"][LAST_APPLIED].clone();
            let mut notes = Value::map();
            notes.set(LAST_APPLIED, note);
            value!({"metadata": {"annotations": notes}})
        };
        // `-o` is the format of the editor's text, not of this line
        let named = slashed(old.kind, &old.name());
        if change.is_empty() {
            io.line(format!("{named} skipped"));
            return Ok(());
        }
        let live = w.store.by_key(&old.key()).filter(|o| o.uid() == old.uid()).cloned();
        let live = live.ok_or(Trouble::Gone)?;
        let options = file_options(&self.args, DryRun::None);
        let sent =
            ask(w, io, |w| w.patch(&live, &change, PatchType::Strategic, Sub::Main, options));
        match sent {
            Ok(_) => {
                io.line(format!("{named} edited"));
                Ok(())
            }
            Err(status) if status.reason == Reason::Invalid => Err(Trouble::Invalid(
                status.causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect(),
            )),
            Err(status) if status.reason == Reason::NotFound => Err(Trouble::Gone),
            Err(status) => Err(Trouble::Other(status.message.to_string())),
        }
    }
}

/// Why an edited object was not taken.
enum Trouble {
    Invalid(Vec<String>),
    Gone,
    Other(String),
}

impl Job for Edit {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        loop {
            let t = match self.closed(w, io)? {
                Ok(t) => t,
                Err(code) => return Some(code),
            };
            match self.saved(w, io, &t) {
                Saved::End(code) => return Some(code),
                Saved::Again(reasons) => {
                    let again = format!("{}{}", header(&self.args, &reasons), stripped(&t));
                    if let Err(code) = self.open(w, io, &again) {
                        return Some(code);
                    }
                }
            }
        }
    }

    fn interrupt(&mut self, w: &mut World, io: &mut Io) {
        w.terminals.edits.remove(&io.term);
        w.terminals.files.remove(&self.file);
    }
}

/// The comments above the text, with what was wrong.
fn header(args: &Args, reasons: &[Complaint]) -> String {
    let mut out = String::from(if of_applied(args) { HEADER_APPLIED } else { HEADER });
    let line = |s: &str| s.replace('\n', "\n# ");
    for Complaint { head, others } in reasons {
        let colon = if others.is_empty() { "" } else { ":" };
        out.push_str(&format!("# {}{colon}\n", line(head)));
        for other in others {
            out.push_str(&format!("# * {}\n", line(other)));
        }
        out.push_str("#\n");
    }
    out
}
