//! What is said of a manifest, in the reader's language.

use podium_sim::manifest::diagnose::{Said, Severity};

use crate::ui::i18n::Words;

/// Most fields that one line names.
const MOST: usize = 4;

/// The words of a problem.
pub fn say(words: &Words, said: &Said) -> String {
    match said {
        Said::Server(text) => text.clone(),
        Said::Twice => words.get("edit.duplicate"),
        Said::Kindless => words.get("edit.kind"),
        Said::Stored => words.get("edit.not-simulated"),
        Said::Ignored(fields) => {
            let mut names: Vec<&str> = fields.iter().take(MOST).map(|(f, _)| f.as_str()).collect();
            if fields.len() > MOST {
                names.push("…");
            }
            words.fill("edit.ignored", &[("fields", &names.join(", "))])
        }
    }
}

/// The class of its line.
pub fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "bad",
        Severity::Warning => "warn",
        Severity::Note => "note",
    }
}
