//! Editing of a command line as bash does it, apart from any field: cuts, history, search.

use podium_sim::shell::is_open;

/// A line and its cursor (bytes).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Line {
    /// The text.
    pub text: String,
    /// Where the cursor stands.
    pub caret: usize,
}

/// A cut with a control key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// `^U`: to the beginning.
    Begin,
    /// `^K`: to the end.
    End,
    /// `^W`: the word before the cursor.
    Word,
}

impl Line {
    /// A line whose cursor stands at that place, counted in UTF-16 units as browsers count.
    pub fn at(text: String, units: usize) -> Self {
        let mut left = units;
        let caret = text.char_indices().find_map(|(i, c)| {
            if left == 0 {
                return Some(i);
            }
            left = left.saturating_sub(c.len_utf16());
            None
        });
        Self { caret: caret.unwrap_or(text.len()), text }
    }

    /// The cursor in UTF-16 units.
    pub fn units(&self) -> u32 {
        self.before().encode_utf16().count() as u32
    }

    /// What stands before the cursor.
    pub fn before(&self) -> &str {
        self.text.get(..self.caret).unwrap_or(&self.text)
    }

    /// Puts a text in the place of what stands from `start` to the cursor.
    pub fn put(&mut self, start: usize, text: &str) {
        let tail = self.text.get(self.caret..).unwrap_or("");
        let head = self.text.get(..start).unwrap_or("");
        let line = format!("{head}{text}{tail}");
        self.caret = head.len() + text.len();
        self.text = line;
    }

    /// Cuts; gives what was cut out.
    pub fn cut(&mut self, cut: Cut) -> String {
        let (from, to) = match cut {
            Cut::Begin => (0, self.caret),
            Cut::End => (self.caret, self.text.len()),
            Cut::Word => {
                let word = self.before().trim_end();
                let from = word.rfind(char::is_whitespace);
                // the space before the word stays
                let from = from.map_or(0, |i| {
                    i + word.get(i..).and_then(|w| w.chars().next()).map_or(1, char::len_utf8)
                });
                (from, self.caret)
            }
        };
        let gone = self.text.get(from..to).unwrap_or("").to_owned();
        self.caret = to;
        self.put(from, "");
        gone
    }
}

/// The newest line up to number `from` (none: all) that contains the text.
pub fn search(history: &[String], text: &str, from: Option<usize>) -> Option<usize> {
    let end = from.map_or(history.len(), |n| (n + 1).min(history.len()));
    if text.is_empty() {
        return None;
    }
    history.iter().take(end).rposition(|line| line.contains(text))
}

/// A line that is entered after others that it may belong to.
#[derive(PartialEq, Eq, Debug)]
pub enum Enter {
    /// The command goes on in the next line.
    More,
    /// A whole command.
    Whole(String),
}

/// Adds a line to those that wait; gives the command if it is whole now.
pub fn enter(pending: &mut Vec<String>, line: String) -> Enter {
    pending.push(line);
    let text = pending.join("\n");
    if is_open(&text) {
        return Enter::More;
    }
    pending.clear();
    Enter::Whole(text)
}

/// Candidates side by side, down the columns, as bash lists them.
pub fn columns(words: &[String], width: usize) -> Vec<String> {
    let widest = words.iter().map(|w| w.chars().count()).max().unwrap_or(0) + 2;
    let across = (width / widest).max(1);
    let rows = words.len().div_ceil(across);
    let row = |r: usize| {
        let line: String =
            words.iter().skip(r).step_by(rows).map(|w| format!("{w:widest$}")).collect();
        line.trim_end().to_owned()
    };
    (0..rows).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts() {
        let line = |caret| Line { text: "kubectl get  pods".into(), caret };
        let mut l = line(13);
        assert_eq!(
            (l.cut(Cut::Word).as_str(), l.text.as_str(), l.caret),
            ("get  ", "kubectl pods", 8)
        );
        let mut l = line(3);
        assert_eq!((l.cut(Cut::Word).as_str(), l.text.as_str()), ("kub", "ectl get  pods"));
        let mut l = line(8);
        assert_eq!(
            (l.cut(Cut::Begin).as_str(), l.text.as_str(), l.caret),
            ("kubectl ", "get  pods", 0)
        );
        let mut l = line(8);
        assert_eq!(
            (l.cut(Cut::End).as_str(), l.text.as_str(), l.caret),
            ("get  pods", "kubectl ", 8)
        );
        assert_eq!(Line::default().cut(Cut::Word), "");
    }

    #[test]
    fn cursors_of_browsers() {
        // the flag takes two units, four bytes
        let l = Line::at("a😀b".into(), 3);
        assert_eq!((l.before(), l.units()), ("a😀", 3));
        assert_eq!(Line::at("ab".into(), 9).caret, 2);
    }

    #[test]
    fn history_is_searched_backwards() {
        let h: Vec<String> = ["get pods", "delete pod x", "get svc"].map(Into::into).into();
        assert_eq!(search(&h, "get", None), Some(2));
        assert_eq!(search(&h, "get", Some(1)), Some(0));
        assert_eq!(search(&h, "pod", None), Some(1));
        assert_eq!(search(&h, "zzz", None), None);
        assert_eq!(search(&[], "", None), None);
    }

    #[test]
    fn commands_of_several_lines() {
        for text in [
            "kubectl apply -f - <<EOF\nkind: Pod\nEOF",
            "for i in 0 1\ndo echo $i\ndone",
            "echo 'a\nb'",
            "kubectl get \\\npods",
            "if true; then\necho yes\nfi",
        ] {
            let mut pending = Vec::new();
            let lines: Vec<&str> = text.lines().collect();
            for (i, line) in lines.iter().enumerate() {
                let got = enter(&mut pending, (*line).to_owned());
                let last = i + 1 == lines.len();
                assert_eq!(got, if last { Enter::Whole(text.into()) } else { Enter::More });
            }
            assert!(pending.is_empty());
        }
    }

    #[test]
    fn candidates_in_columns() {
        let words: Vec<String> = ["a", "bb", "c", "d", "e"].map(Into::into).into();
        assert_eq!(columns(&words, 8), ["a   d", "bb  e", "c"]);
        assert_eq!(columns(&words, 1).len(), 5);
        assert!(columns(&[], 80).is_empty());
    }
}
