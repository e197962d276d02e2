//! Tab completion: what could stand at the cursor of a line that is being typed. Reads the
//! cluster and changes nothing.
//!
//! # Divergence from real Kubernetes
//! kubectl's own completion knows kinds by their plural names; short names are offered here too,
//! because tutorials use them. Flags that need a value come with their `=`; those that all
//! commands share are left out but for `--namespace`.

mod kubectl;
mod line;
mod values;

#[cfg(test)]
mod tests;

use crate::world::World;

/// Programs and words that a line may begin with.
const COMMANDS: &[&str] = &[
    "awk", "base64", "cat", "clear", "cp", "cut", "date", "echo", "exit", "export", "for", "grep",
    "head", "history", "if", "jq", "kubectl", "ls", "mv", "printf", "pwd", "rm", "sed", "seq",
    "sleep", "sort", "tail", "tee", "touch", "tr", "uniq", "wc", "while", "xargs",
];

/// Programs whose arguments are files of the folder.
const READERS: &[&str] = &[
    "awk", "base64", "cat", "cp", "cut", "grep", "head", "jq", "ls", "mv", "rm", "sed", "sh",
    "bash", "sort", "tail", "tee", "touch", "uniq", "wc",
];

/// What could stand at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the part that is completed begins, in bytes of the line; it ends at the cursor.
    pub start: usize,
    /// All that could stand there, sorted.
    pub candidates: Vec<String>,
}

impl Completion {
    /// What all candidates begin with.
    pub fn common(&self) -> &str {
        let Some(first) = self.candidates.first() else { return "" };
        // they are sorted: what the first and the last share, all share
        let last = self.candidates.last().map_or("", String::as_str);
        let same = first.chars().zip(last.chars()).take_while(|(a, b)| a == b);
        first.get(..same.map(|(a, _)| a.len_utf8()).sum()).unwrap_or("")
    }

    /// The text to put there: the common beginning, and a space after a word that is whole.
    pub fn text(&self) -> String {
        let mut text = self.common().to_owned();
        if self.candidates.len() == 1 && !text.ends_with(['=', '/', ',', '.', ':']) {
            text.push(' ');
        }
        text
    }
}

/// Completes a line of the learner's own shell at a cursor (bytes). `files` are names of files
/// that the folder has besides those which the world knows.
pub fn complete(w: &World, files: &[String], line: &str, cursor: usize) -> Completion {
    let Some(before) = line.get(..cursor) else { return Completion::default() };
    let typed = line::read(before);
    let mut offer = Offer { prefix: typed.word.as_str(), files, candidates: Vec::new() };
    match typed.words.split_first() {
        _ if typed.redirected => values::files(w, &mut offer),
        None => {
            if offer.prefix.contains('/') {
                values::files(w, &mut offer);
            } else {
                offer.all(COMMANDS);
            }
        }
        Some((program, rest)) => match program.as_str() {
            "kubectl" | "k" => kubectl::complete(w, &mut offer, rest),
            p if READERS.contains(&p) => values::files(w, &mut offer),
            _ => {}
        },
    }
    let Offer { prefix, mut candidates, .. } = offer;
    // what is replaced must stand there letter by letter: no quote or backslash inside
    if !before.ends_with(prefix) {
        return Completion::default();
    }
    candidates.sort();
    candidates.dedup();
    Completion { start: cursor - prefix.len(), candidates }
}

/// Collects what begins with what was typed.
struct Offer<'a> {
    prefix: &'a str,
    files: &'a [String],
    candidates: Vec<String>,
}

impl Offer<'_> {
    /// Offers a text if it goes on from what was typed.
    fn add(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref();
        if text.starts_with(self.prefix) {
            self.candidates.push(text.to_owned());
        }
    }

    /// Offers several.
    fn all<T: AsRef<str>>(&mut self, texts: impl IntoIterator<Item = T>) {
        texts.into_iter().for_each(|t| self.add(t));
    }

    /// From here on only what stands after the last such character is completed; gives what
    /// stands before it.
    fn after(&mut self, c: char) -> Option<String> {
        let (head, tail) = self.prefix.rsplit_once(c)?;
        self.prefix = tail;
        Some(head.to_owned())
    }
}
