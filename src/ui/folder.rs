//! The editor's tabs as the folder that the terminals see.
//!
//! A tab is a person's own text, or it shows what a program of the shell wrote. Own texts are
//! handed to the world before a line runs that could look at them, those that changed and no
//! others: files are inputs of the recording. What programs write, the tabs follow.

use podium_sim::World;
use podium_sim::recording::{Input, Recording};

/// A file by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// `web.yaml`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A file of the editor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tab {
    /// `web.yaml`.
    pub name: String,
    /// Its text as it is now.
    pub text: String,
    /// The terminal whose `kubectl edit` waits for this text, and what it gave to edit.
    pub edit: Option<(u8, String)>,
    /// A person's text, not one that a program wrote.
    mine: bool,
    /// Typed, and the world has not seen it.
    fresh: bool,
}

/// The files, and which of them is shown.
#[derive(Debug, Default)]
pub struct Folder {
    tabs: Vec<Tab>,
    active: usize,
    /// Tab to go back to when an edited object is closed.
    back: usize,
    /// Names that a person took away and the world may still have.
    removed: Vec<String>,
    version: u32,
}

impl Folder {
    /// All tabs.
    pub fn tabs(&self) -> &[Tab] {
        &self.tabs
    }

    /// Number of the tab that is shown.
    pub fn active(&self) -> usize {
        self.active
    }

    /// Counts the changes that were not typed into the tab that is shown.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The tab that is shown.
    pub fn shown(&self) -> Option<&Tab> {
        self.tabs.get(self.active)
    }

    /// Other files in the place of all.
    pub fn load(&mut self, files: Vec<File>) {
        let own =
            |f: File| Tab { name: f.name, text: f.text, edit: None, mine: true, fresh: false };
        self.tabs = files.into_iter().map(own).collect();
        self.removed.clear();
        self.active = 0;
        self.version += 1;
    }

    /// Shows another tab.
    pub fn choose(&mut self, i: usize) {
        if i < self.tabs.len() {
            self.active = i;
            self.version += 1;
        }
    }

    /// The text of the shown tab was typed.
    pub fn typed(&mut self, text: String) {
        if let Some(tab) = self.tabs.get_mut(self.active) {
            tab.text = text;
            tab.mine = true;
            tab.fresh = true;
        }
    }

    /// An empty file, shown.
    pub fn add(&mut self) {
        let name = (1..=self.tabs.len() + 1)
            .map(|n| format!("file-{n}.yaml"))
            .find(|name| self.tabs.iter().all(|t| t.name != *name))
            .unwrap_or_default();
        self.set(&name, "");
        self.choose(self.tabs.len().saturating_sub(1));
    }

    /// Makes a file if there is none of that name.
    pub fn offer(&mut self, name: &str, text: &str) {
        if !self.tabs.iter().any(|t| t.name == name) {
            self.set(name, text);
        }
    }

    /// Gives a file this text; a new one comes last.
    pub fn set(&mut self, name: &str, text: &str) {
        self.removed.retain(|n| n != name);
        if let Some(tab) = self.tabs.iter_mut().find(|t| t.name == name && t.edit.is_none()) {
            if tab.text == text {
                tab.mine = true;
                return;
            }
            tab.text = text.to_owned();
            (tab.mine, tab.fresh) = (true, true);
        } else {
            let (name, text) = (name.to_owned(), text.to_owned());
            self.tabs.push(Tab { name, text, edit: None, mine: true, fresh: true });
        }
        self.version += 1;
    }

    /// Another name for the shown file; false if it cannot have that one.
    pub fn rename(&mut self, name: &str) -> bool {
        let name = name.trim().trim_start_matches("./");
        let taken = |t: &Tab| t.name == name;
        if name.is_empty() || name.starts_with('/') || name.ends_with('/') {
            return false;
        }
        let others = self.tabs.iter().enumerate().filter(|(i, _)| *i != self.active);
        if others.map(|(_, t)| t).any(taken) {
            return false;
        }
        let Some(tab) = self.tabs.get_mut(self.active).filter(|t| t.edit.is_none()) else {
            return false;
        };
        if tab.name != name {
            self.removed.retain(|n| n != name);
            self.removed.push(std::mem::replace(&mut tab.name, name.to_owned()));
            (tab.mine, tab.fresh) = (true, true);
            self.version += 1;
        }
        true
    }

    /// Takes the shown file away.
    pub fn remove(&mut self) {
        if self.shown().is_some_and(|t| t.edit.is_none()) {
            let tab = self.tabs.remove(self.active);
            self.removed.push(tab.name);
            self.active = self.active.min(self.tabs.len().saturating_sub(1));
            self.version += 1;
        }
    }

    /// What the world must be told before a line may look at the files.
    pub fn due(&mut self, w: &World) -> Vec<Input> {
        let known = &w.terminals.files;
        let mut due: Vec<Input> = self
            .removed
            .drain(..)
            .filter(|name| known.contains_key(name.as_str()))
            .map(|name| Input::Remove { name })
            .collect();
        for tab in self.tabs.iter_mut().filter(|t| t.mine && t.edit.is_none()) {
            tab.fresh = false;
            if known.get(tab.name.as_str()).is_none_or(|t| t.as_str() != tab.text) {
                due.push(Input::File { name: tab.name.clone(), text: tab.text.clone() });
            }
        }
        due
    }

    /// Takes over what programs did to files, and what `kubectl edit` opened and closed.
    pub fn follow(&mut self, w: &World) {
        let shown = self.shown().map(|t| t.name.clone());
        let t = &w.terminals;
        for (name, written) in &t.by_shell {
            let name = name.as_str();
            if name.starts_with('/') || self.removed.iter().any(|r| r == name) {
                continue;
            }
            let at = self.tabs.iter().position(|t| t.name == name && t.edit.is_none());
            let tab = at.and_then(|i| self.tabs.get_mut(i));
            match (written, tab) {
                // typed after it: the person's text stands
                (_, Some(tab)) if tab.fresh => {}
                (true, Some(tab)) => tab.mine = false,
                (true, None) => {
                    let (name, text) = (name.to_owned(), String::new());
                    self.tabs.push(Tab { name, text, edit: None, mine: false, fresh: false });
                    self.version += 1;
                }
                (false, Some(tab)) => tab.mine = false,
                (false, None) => {}
            }
        }
        let (mut changed, many) = (0, self.tabs.len());
        self.tabs.retain_mut(|tab| {
            if let Some((term, given)) = &mut tab.edit {
                let open = t.edits.get(term).filter(|e| e.saved.is_none());
                if let Some(e) = open.filter(|e| e.text.as_str() != given) {
                    // opened again, with its faults
                    *given = e.text.to_string();
                    tab.text.clone_from(given);
                    changed += 1;
                }
                return open.is_some();
            }
            if tab.mine {
                return true;
            }
            let text = t.files.get(tab.name.as_str());
            if let Some(text) = text.filter(|text| text.as_str() != tab.text) {
                tab.text = text.to_string();
                changed += 1;
            }
            text.is_some()
        });
        self.version += changed + u32::from(self.tabs.len() != many);
        let mut opened = None;
        for (term, e) in t.edits.iter().filter(|(_, e)| e.saved.is_none()) {
            if !self.tabs.iter().any(|t| t.edit.as_ref().is_some_and(|(n, _)| n == term)) {
                let name = e.file.rsplit('/').next().unwrap_or_default().to_owned();
                let text = e.text.to_string();
                let edit = Some((*term, text.clone()));
                self.tabs.push(Tab { name, text, edit, mine: false, fresh: false });
                opened = Some(self.tabs.len() - 1);
            }
        }
        // the shown tab stays shown, wherever it stands now
        let now = self.tabs.iter().position(|t| Some(&t.name) == shown.as_ref());
        if let Some(i) = opened {
            self.back = now.unwrap_or(0);
            self.active = i;
            self.version += 1;
        } else if let Some(i) = now {
            self.active = i;
        } else if shown.is_some() {
            self.active = self.back.min(self.tabs.len().saturating_sub(1));
            self.back = 0;
            self.version += 1;
        }
    }
}

/// The files of a recording, each with its last text, in the order of their first.
pub fn files_of(recording: &Recording) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for timed in &recording.inputs {
        match &timed.input {
            Input::File { name, text } => match files.iter_mut().find(|f| f.name == *name) {
                Some(file) => file.text.clone_from(text),
                None => files.push(File { name: name.clone(), text: text.clone() }),
            },
            Input::Remove { name } => files.retain(|f| f.name != *name),
            _ => {}
        }
    }
    files
}

/// Could this line look at the folder? A plain kubectl command that names no file cannot.
pub fn looks(line: &str) -> bool {
    let plain = line.trim_start().starts_with("kubectl ")
        && !line.contains(['|', '&', ';', '$', '`', '<', '>', '\n']);
    let named = |w: &str| {
        w.starts_with("-f")
            || w.starts_with("-k")
            || w.starts_with("--f")
            || w.starts_with("--patch-f")
            || w.starts_with("--k")
    };
    !plain || line.split_whitespace().any(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use podium_sim::{Config, Latency};

    fn world() -> World {
        World::new(Config { latency: Latency::Instant, ..Config::default() })
    }

    fn folder() -> Folder {
        let mut folder = Folder::default();
        let file = |name: &str| File { name: name.into(), text: format!("# {name}\n") };
        folder.load(vec![file("a.yaml"), file("b.yaml")]);
        folder
    }

    fn tell(folder: &mut Folder, w: &mut World) -> usize {
        let due = folder.due(w);
        for input in &due {
            match input {
                Input::File { name, text } => w.put_file(name, text),
                Input::Remove { name } => w.remove_file(name),
                _ => {}
            }
        }
        due.len()
    }

    fn run(folder: &mut Folder, w: &mut World, line: &str) {
        tell(folder, w);
        w.type_line(1, line);
        w.settle(60_000_000);
        folder.follow(w);
    }

    fn names(folder: &Folder) -> String {
        folder.tabs().iter().map(|t| t.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_changed_is_told() {
        let (mut folder, mut w) = (folder(), world());
        assert_eq!(tell(&mut folder, &mut w), 2);
        assert_eq!(tell(&mut folder, &mut w), 0);
        folder.choose(1);
        folder.typed("new".into());
        folder.typed("newer".into());
        assert_eq!(tell(&mut folder, &mut w), 1);
        assert_eq!(w.terminals.files.get("b.yaml").unwrap(), "newer");
        folder.add();
        assert_eq!(names(&folder), "a.yaml b.yaml file-1.yaml");
        assert!(!folder.rename("a.yaml") && !folder.rename(" ") && folder.rename("c.yaml"));
        folder.choose(0);
        folder.remove();
        assert_eq!(tell(&mut folder, &mut w), 2);
        assert_eq!(
            w.terminals.files.keys().map(podium_sim::Str::as_str).collect::<Vec<_>>(),
            ["b.yaml", "c.yaml"]
        );
    }

    #[test]
    fn tabs_follow_what_the_shell_does() {
        let (mut folder, mut w) = (folder(), world());
        run(&mut folder, &mut w, "echo one > x.txt; rm b.yaml");
        assert_eq!(names(&folder), "a.yaml x.txt");
        let early = w.clone();
        run(&mut folder, &mut w, "echo two > a.yaml");
        assert_eq!(folder.shown().unwrap().text, "two\n");
        // what is typed wins over what was written before, and is told
        folder.typed("three\n".into());
        folder.follow(&w);
        assert_eq!(folder.shown().unwrap().text, "three\n");
        run(&mut folder, &mut w, "cp a.yaml z.yaml");
        assert_eq!(w.terminals.files.get("z.yaml").unwrap(), "three\n");
        // back in time: what programs wrote later is not there, own texts stay
        folder.follow(&early);
        assert_eq!(names(&folder), "a.yaml x.txt");
        assert_eq!(folder.shown().unwrap().text, "three\n");
        folder.follow(&w);
        assert_eq!(names(&folder), "a.yaml x.txt z.yaml");
    }

    #[test]
    fn an_edited_object_is_a_tab_until_it_is_closed() {
        let (mut folder, mut w) = (folder(), world());
        folder.choose(1);
        run(&mut folder, &mut w, "kubectl edit sc standard");
        let tab = folder.shown().unwrap().clone();
        assert!(
            tab.name.starts_with("kubectl-edit-") && tab.text.starts_with("# Please edit"),
            "{tab:?}"
        );
        assert_eq!(folder.tabs().len(), 3);
        folder.typed(tab.text.replace("kind: StorageClass", "kind: ["));
        folder.follow(&w);
        let text = folder.shown().unwrap().text.clone();
        w.close_editor(1, Some(&text));
        folder.follow(&w);
        assert!(folder.shown().unwrap().text.contains("syntax error"));
        // it is no file of the folder
        assert!(folder.due(&w).is_empty());
        w.interrupt(1);
        folder.follow(&w);
        assert_eq!((names(&folder).as_str(), folder.active()), ("a.yaml b.yaml", 1));
    }

    #[test]
    fn a_recording_brings_its_files() {
        let text = |name: &str, text: &str| podium_sim::recording::Timed {
            at: 0,
            input: Input::File { name: name.into(), text: text.into() },
        };
        let recording = Recording {
            format: 1,
            seed: 1,
            nodes: 1,
            latency: String::new(),
            inputs: vec![text("a", "1"), text("b", "2"), text("a", "3")],
            at: 0,
        };
        let got: Vec<_> = files_of(&recording).into_iter().map(|f| f.name + &f.text).collect();
        assert_eq!(got, ["a3", "b2"]);
    }

    #[test]
    fn lines_that_look_at_files() {
        for line in [
            "ls",
            "cat a",
            "kubectl apply -f a",
            "kubectl get po > x",
            "kubectl diff --filename=a",
            "echo $(ls)",
        ] {
            assert!(looks(line), "{line}");
        }
        for line in [
            "kubectl get pods -w",
            "kubectl scale sts web --replicas=3",
            "kubectl delete pod web-0 --force",
        ] {
            assert!(!looks(line) || line.contains("--f"), "{line}");
        }
    }
}
