//! What a terminal shows, as lines in blocks. New output touches the last block only, so that a
//! long history costs nothing when a line is added.

use std::rc::Rc;

use podium_sim::kubectl::{Entered, Terminal};
use podium_sim::shell::commands::CLEAR;

/// Lines in a block.
const BLOCK: usize = 100;
/// Blocks that are kept: 10,000 lines and the one that is being filled.
const KEPT: usize = 101;

/// What a piece of a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// `$ `.
    Prompt,
    /// Typed.
    Typed,
    /// Output.
    Out,
    /// Output on stderr.
    Err,
}

/// A line: its pieces, without the line end.
pub type Line = Rc<Vec<(Ink, String)>>;

/// Lines that belong together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Block {
    /// The lines.
    pub lines: Vec<Line>,
}

/// A terminal as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Screen {
    /// All lines that are kept.
    pub blocks: Vec<Rc<Block>>,
    /// Number of the first block: names stay with their blocks when old ones are dropped.
    pub first: usize,
    /// Lines entered so far.
    pub entered: usize,
    /// Does something run there?
    pub running: bool,
    /// Does it wait for a line?
    pub reads: bool,
    /// Is it an editor that waits?
    pub edits: bool,
}

/// Writes the lines of a terminal as they come.
#[derive(Debug, Default)]
pub struct Writer {
    branch: u32,
    out: usize,
    screen: Screen,
    /// Does the last line go on?
    open: bool,
    shared: Rc<Screen>,
}

impl Writer {
    /// The screen of a terminal; the same as before if nothing is new.
    pub fn screen(&mut self, branch: u32, t: Option<&Terminal>, edits: bool) -> Rc<Screen> {
        let (entered, out) = t.map_or((0, 0), |t| (t.entered.len(), t.out.len()));
        if self.branch != branch || entered < self.screen.entered || out < self.out {
            *self = Self { branch, ..Self::default() };
        }
        if let Some(t) = t {
            if (entered, out) != (self.screen.entered, self.out) {
                self.write(t);
            }
            self.screen.running = t.running();
            self.screen.reads = t.reads();
            self.screen.edits = edits;
        }
        if *self.shared != self.screen {
            self.shared = Rc::new(self.screen.clone());
        }
        self.shared.clone()
    }

    fn write(&mut self, t: &Terminal) {
        let mut entered = t.entered.iter().skip(self.screen.entered).peekable();
        loop {
            while let Some(line) = entered.next_if(|e| e.at <= self.out) {
                self.enter(line);
            }
            let Some(chunk) = t.out.get(self.out) else { break };
            let text = match chunk.text.rsplit_once(CLEAR) {
                Some((_, rest)) => {
                    self.clear();
                    rest
                }
                None => chunk.text.as_str(),
            };
            self.print(if chunk.stderr { Ink::Err } else { Ink::Out }, text);
            self.out += 1;
        }
        self.screen.entered = t.entered.len();
    }

    fn enter(&mut self, line: &Entered) {
        for (i, text) in line.text.split('\n').enumerate() {
            if !line.read {
                self.piece(Ink::Prompt, if i == 0 { "$ " } else { "> " });
            }
            self.line(Ink::Typed, text);
        }
    }

    /// Writes a line that is the page's own: what was typed and given up, or what Tab offers.
    pub fn note(&mut self, ink: Ink, text: &str) {
        if ink == Ink::Typed {
            self.piece(Ink::Prompt, "$ ");
        }
        self.line(ink, text);
    }

    /// Takes all lines away.
    pub fn clear(&mut self) {
        self.screen.first += self.screen.blocks.len();
        self.screen.blocks.clear();
        self.open = false;
    }

    fn print(&mut self, ink: Ink, text: &str) {
        for piece in text.split_inclusive('\n') {
            match piece.strip_suffix('\n') {
                Some(whole) => self.line(ink, whole),
                None => self.piece(ink, piece),
            }
        }
    }

    /// The end of a line.
    fn line(&mut self, ink: Ink, text: &str) {
        self.piece(ink, text);
        self.open = false;
    }

    /// A piece of the line that goes on, or of a new one.
    fn piece(&mut self, ink: Ink, text: &str) {
        let blocks = &mut self.screen.blocks;
        if !self.open {
            if blocks.last().is_none_or(|b| b.lines.len() >= BLOCK) {
                blocks.push(Rc::default());
            }
            if blocks.len() > KEPT {
                blocks.remove(0);
                self.screen.first += 1;
            }
        }
        let Some(block) = blocks.last_mut().map(Rc::make_mut) else { return };
        if !std::mem::replace(&mut self.open, true) {
            block.lines.push(Line::default());
        }
        let Some(line) = block.lines.last_mut().map(Rc::make_mut) else { return };
        match line.last_mut() {
            Some((last, t)) if *last == ink => t.push_str(text),
            _ => line.push((ink, text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use podium_sim::{Config, Latency, World};

    fn text(screen: &Screen) -> String {
        let lines = screen.blocks.iter().flat_map(|b| &b.lines);
        lines.flat_map(|l| l.iter().map(|(_, t)| t.as_str()).chain(["\n"])).collect()
    }

    #[test]
    fn lines_as_a_terminal_shows_them() {
        let mut w = World::new(Config { latency: Latency::Instant, ..Config::default() });
        let mut writer = Writer::default();
        for line in ["echo a; echo b >&2", "printf x", "cat <<E\nhi\nE", "cat", "in", "\u{4}"] {
            w.type_line(1, line);
            w.settle(1_000_000);
            // piece by piece, as frames come
            writer.screen(0, w.terminal(1), false);
        }
        let shown = writer.screen(0, w.terminal(1), false);
        let want =
            "$ echo a; echo b >&2\na\nb\n$ printf x\nx$ cat <<E\n> hi\n> E\nhi\n$ cat\nin\nin\n";
        assert_eq!(text(&shown), want);
        assert_eq!(shown.blocks[0].lines[2][0].0, Ink::Err);
        // all at once is the same
        let mut other = Writer::default();
        assert_eq!(text(&other.screen(0, w.terminal(1), false)), want);
        writer.note(Ink::Typed, "kube^C");
        assert!(text(&writer.screen(0, w.terminal(1), false)).ends_with("in\n$ kube^C\n"));
        w.type_line(1, "sleep 9");
        w.interrupt(1);
        assert!(text(&writer.screen(0, w.terminal(1), false)).ends_with("$ sleep 9\n^C\n"));
        w.type_line(1, "clear; echo z");
        assert_eq!(text(&writer.screen(0, w.terminal(1), false)), "z\n");
    }

    #[test]
    fn new_lines_touch_the_last_block_only() {
        let mut w = World::new(Config { latency: Latency::Instant, ..Config::default() });
        let mut writer = Writer::default();
        w.type_line(1, "seq 1 12000");
        w.settle(1_000_000);
        let before = writer.screen(0, w.terminal(1), false);
        let lines: usize = before.blocks.iter().map(|b| b.lines.len()).sum();
        assert!((10_000..=10_100).contains(&lines), "{lines}");
        w.type_line(1, "echo more");
        w.settle(1_000_000);
        let after = writer.screen(0, w.terminal(1), false);
        let same = |n: usize| before.blocks.iter().any(|b| Rc::ptr_eq(b, &after.blocks[n]));
        assert!((0..after.blocks.len() - 1).all(same));
        assert!(!Rc::ptr_eq(&before, &after));
        assert!(Rc::ptr_eq(&after, &writer.screen(0, w.terminal(1), false)));
        // another branch: all anew
        assert_eq!(text(&after), text(&writer.screen(1, w.terminal(1), false)));
    }
}
