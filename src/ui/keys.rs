//! What the keys of a terminal's line do: bash's keys, and no trap for those who move by Tab.

use podium_sim::kubectl::END_OF_INPUT;
use podium_sim::recording::Input;
use web_sys::{HtmlInputElement, KeyboardEvent};

use crate::ui::readline::{Cut, Enter, Line, columns, enter, search};
use crate::ui::screen::{Ink, Screen};
use crate::ui::session::Handle;

/// Candidates that are listed at most.
const LISTED: usize = 100;

/// What the line is used for.
#[derive(Debug, Default)]
pub(crate) enum Mode {
    /// A command is typed.
    #[default]
    Command,
    /// The history is searched.
    Search {
        /// What is searched.
        query: String,
        /// Number of the line that was found.
        at: Option<usize>,
        /// That line.
        found: Option<String>,
        /// What stood there before.
        draft: String,
    },
}

/// State of a terminal's line beside its text.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// Lines entered of a command that is not whole yet.
    pub(crate) pending: Vec<String>,
    /// What the line is used for.
    pub(crate) mode: Mode,
    /// How far back in the history, and the line that was being typed.
    back: usize,
    draft: String,
    /// What was cut last.
    cut: String,
    /// Was the last key Tab, and it had nothing to add?
    tabbed: bool,
    /// Esc was pressed: the next Tab leaves.
    leaving: bool,
    /// Do the lines before this one come from the history?
    recalled: bool,
}

fn read(field: &HtmlInputElement) -> Line {
    let caret = field.selection_start().ok().flatten().unwrap_or(u32::MAX);
    Line::at(field.value(), caret as usize)
}

fn write(field: &HtmlInputElement, line: &Line) {
    field.set_value(&line.text);
    let caret = line.units();
    let _ = field.set_selection_range(caret, caret);
    // keeps the cursor in sight in a long line
    field.set_scroll_left(if line.caret == line.text.len() {
        i32::MAX
    } else {
        field.scroll_left()
    });
}

fn write_all(field: &HtmlInputElement, text: &str) {
    write(field, &Line { text: text.to_owned(), caret: text.len() });
}

impl Keys {
    /// Is the history searched?
    pub(crate) fn searching(&self) -> bool {
        matches!(self.mode, Mode::Search { .. })
    }

    /// A key goes down; true if it is used up.
    pub(crate) fn down(
        &mut self,
        e: &KeyboardEvent,
        field: &HtmlInputElement,
        screen: &Screen,
        session: &Handle,
        term: u8,
    ) -> bool {
        let tabbed = std::mem::take(&mut self.tabbed);
        let leaving = std::mem::take(&mut self.leaving);
        if e.is_composing() || e.meta_key() || e.alt_key() {
            return false;
        }
        let key = e.key();
        if e.ctrl_key() {
            return self.control(&key, field, screen, session, term);
        }
        match key.as_str() {
            "Enter" => {
                self.found(field);
                let line = field.value();
                field.set_value("");
                self.enter(line, screen, session, term);
            }
            "Tab" => {
                // an empty line, Shift and Esc before it let Tab leave, as everywhere else
                if e.shift_key() || leaving || field.value().is_empty() {
                    return false;
                }
                self.tabbed = tabbed;
                self.tab(field, screen, session, term);
            }
            "Escape" => {
                self.leaving = true;
                return self.found(field);
            }
            "ArrowUp" | "ArrowDown" if !self.searching() => {
                self.recall(key == "ArrowUp", field, screen, session, term);
            }
            "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown" | "Home" | "End" => {
                return self.found(field);
            }
            _ => return false,
        }
        true
    }

    fn control(
        &mut self,
        key: &str,
        field: &HtmlInputElement,
        screen: &Screen,
        session: &Handle,
        term: u8,
    ) -> bool {
        let mut line = read(field);
        match key {
            "c" => {
                // what is selected is copied
                let end = field.selection_end().ok().flatten();
                if end != field.selection_start().ok().flatten() {
                    return false;
                }
                if self.give_up(field) {
                    return true;
                }
                field.set_value("");
                self.back = 0;
                if screen.running {
                    session.input(Input::Interrupt { term });
                    return true;
                }
                let mut lines = std::mem::take(&mut self.pending);
                lines.push(format!("{}^C", line.text));
                for more in lines.iter_mut().skip(1) {
                    more.insert_str(0, "> ");
                }
                let ink = |i| if i == 0 { Ink::Typed } else { Ink::Out };
                session.note(term, lines.iter().enumerate().map(|(i, l)| (ink(i), l.as_str())));
            }
            "g" => return self.give_up(field),
            "r" => self.search(field, screen, session, term),
            _ if self.searching() => {
                self.found(field);
                return self.control(key, field, screen, session, term);
            }
            "l" => session.clear(term),
            "a" => {
                line.caret = 0;
                write(field, &line);
            }
            "e" => write_all(field, &line.text),
            "u" | "k" | "w" => {
                let cut = match key {
                    "u" => Cut::Begin,
                    "k" => Cut::End,
                    _ => Cut::Word,
                };
                let gone = line.cut(cut);
                if !gone.is_empty() {
                    self.cut = gone;
                }
                write(field, &line);
            }
            "y" if !self.cut.is_empty() => {
                let caret = line.caret;
                line.put(caret, &self.cut);
                write(field, &line);
            }
            "p" | "n" => self.recall(key == "p", field, screen, session, term),
            "d" if line.text.is_empty() => {
                if screen.reads {
                    session.line(term, END_OF_INPUT);
                }
            }
            "d" => {
                let next = line.text.get(line.caret..).and_then(|t| t.chars().next());
                line.caret += next.map_or(0, char::len_utf8);
                let start = line.caret - next.map_or(0, char::len_utf8);
                line.put(start, "");
                write(field, &line);
            }
            "j" | "m" => {
                field.set_value("");
                self.enter(line.text, screen, session, term);
            }
            _ => return false,
        }
        true
    }

    /// The text of the field has changed.
    pub(crate) fn typed(&mut self, field: &HtmlInputElement, session: &Handle, term: u8) -> bool {
        self.tabbed = false;
        let Mode::Search { query, at, found, .. } = &mut self.mode else { return false };
        *query = field.value();
        let history = history(session, term, false);
        *at = search(&history, query, None);
        *found = at.and_then(|i| history.get(i).cloned());
        true
    }

    /// Lines are pasted: whole ones run one after the other, the last one stays.
    pub(crate) fn paste(
        &mut self,
        text: &str,
        field: &HtmlInputElement,
        screen: &Screen,
        session: &Handle,
        term: u8,
    ) -> bool {
        if self.searching() {
            return false;
        }
        let mut line = read(field);
        let end = field.selection_end().ok().flatten().unwrap_or(u32::MAX);
        let start = line.caret;
        line.caret = Line::at(line.text.clone(), end as usize).caret;
        line.put(start, &text.replace("\r\n", "\n").replace('\r', "\n"));
        let mut lines: Vec<&str> = line.text.split('\n').collect();
        let rest = lines.pop().unwrap_or_default().to_owned();
        for line in lines {
            // empty lines between commands do nothing
            if !line.trim().is_empty() || !self.pending.is_empty() || screen.reads {
                self.enter(line.to_owned(), screen, session, term);
            }
        }
        write_all(field, &rest);
        true
    }

    fn enter(&mut self, line: String, screen: &Screen, session: &Handle, term: u8) {
        self.back = 0;
        self.draft.clear();
        self.recalled = false;
        if screen.reads && self.pending.is_empty() {
            session.line(term, line);
        } else if line.trim().is_empty() && self.pending.is_empty() {
            if !screen.running {
                session.note(term, [(Ink::Typed, "")]);
            }
        } else if let Enter::Whole(command) = enter(&mut self.pending, line) {
            session.line(term, command);
        }
    }

    /// Up and down in the history.
    pub(crate) fn recall(
        &mut self,
        up: bool,
        field: &HtmlInputElement,
        screen: &Screen,
        session: &Handle,
        term: u8,
    ) {
        let history = history(session, term, screen.reads);
        if self.back == 0 {
            self.draft = field.value();
        }
        let step = if up { self.back + 1 } else { self.back.saturating_sub(1) };
        self.back = step.min(history.len());
        let line = history.len().checked_sub(self.back).and_then(|i| history.get(i));
        let line = line.unwrap_or(&self.draft).clone();
        self.put_back(field, &line);
    }

    /// Puts a command of the history into the line; of one with several lines, the last.
    fn put_back(&mut self, field: &HtmlInputElement, command: &str) {
        if self.recalled {
            self.pending.clear();
        }
        let mut lines: Vec<String> = command.split('\n').map(ToOwned::to_owned).collect();
        // in the middle of another command there is no place for more lines
        let last = if self.pending.is_empty() { lines.pop() } else { None };
        self.recalled = last.is_some();
        match last {
            Some(last) => {
                write_all(field, &last);
                self.pending = lines;
            }
            None => write_all(field, &lines.join("; ")),
        }
    }

    /// `^R`: begins a search, or finds the next older line.
    fn search(&mut self, field: &HtmlInputElement, screen: &Screen, session: &Handle, term: u8) {
        if screen.reads {
            return;
        }
        match &mut self.mode {
            Mode::Command => {
                let draft = field.value();
                field.set_value("");
                let query = String::new();
                self.mode = Mode::Search { query, at: None, found: None, draft };
            }
            Mode::Search { query, at, found, .. } => {
                let history = history(session, term, false);
                let older = match *at {
                    Some(0) => None,
                    Some(n) => search(&history, query, Some(n - 1)),
                    None => search(&history, query, None),
                };
                if let Some(i) = older {
                    *at = Some(i);
                    *found = history.get(i).cloned();
                }
            }
        }
    }

    /// Ends a search with what it found; false if none goes on.
    fn found(&mut self, field: &HtmlInputElement) -> bool {
        let Mode::Search { found, draft, .. } = std::mem::take(&mut self.mode) else {
            return false;
        };
        self.put_back(field, found.as_ref().unwrap_or(&draft));
        true
    }

    /// Ends a search with what stood there before; false if none goes on.
    fn give_up(&mut self, field: &HtmlInputElement) -> bool {
        let Mode::Search { draft, .. } = std::mem::take(&mut self.mode) else { return false };
        write_all(field, &draft);
        true
    }

    /// Tab: what all candidates share; pressed again, the candidates.
    pub(crate) fn tab(
        &mut self,
        field: &HtmlInputElement,
        screen: &Screen,
        session: &Handle,
        term: u8,
    ) {
        let again = std::mem::take(&mut self.tabbed);
        if self.found(field) || screen.reads {
            return;
        }
        let mut line = read(field);
        let got = session.complete(&line.text, line.caret);
        let text = got.text();
        let old = line.text.get(got.start..line.caret).unwrap_or("");
        if !got.candidates.is_empty() && text != old {
            line.put(got.start, &text);
            write(field, &line);
        } else if again && got.candidates.len() > 1 {
            let listed = got.candidates.get(..LISTED).unwrap_or(&got.candidates);
            let width = (field.client_width() / 8).clamp(20, 160);
            let mut lines = columns(listed, width as usize);
            if got.candidates.len() > LISTED {
                lines.push(format!("… {}", got.candidates.len() - LISTED));
            }
            let typed = (Ink::Typed, line.text.as_str());
            session.note(
                term,
                std::iter::once(typed).chain(lines.iter().map(|l| (Ink::Out, l.as_str()))),
            );
        } else {
            self.tabbed = got.candidates.len() > 1;
        }
    }
}

/// Lines that were entered, the oldest first: at the shell, or in what reads.
fn history(session: &Handle, term: u8, read: bool) -> Vec<String> {
    session.with_world(|w| {
        let entered = w.terminal(term).map(|t| t.entered.as_slice()).unwrap_or_default();
        let own = entered.iter().filter(|e| e.read == read && e.text != "^C");
        own.map(|e| e.text.to_string()).collect()
    })
}
