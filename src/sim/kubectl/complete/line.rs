//! The command that stands before the cursor, its words unquoted.

/// What was typed of the last command of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    /// Whole words, the program first.
    pub(super) words: Vec<String>,
    /// The word at the cursor, as far as it is typed.
    pub(super) word: String,
    /// Is that word the file of a redirection?
    pub(super) redirected: bool,
}

/// Words after which another command begins.
const BEFORE: &[&str] =
    &["do", "then", "else", "elif", "if", "while", "until", "!", "{", "time", "xargs", "watch"];

#[derive(Default)]
struct Reader {
    now: Typed,
    /// Has the word at the cursor begun (it may be empty, in quotes)?
    begun: bool,
    quote: Option<char>,
    /// What was going on when a `$(` began.
    outer: Vec<(Typed, Option<char>)>,
}

/// Reads a line up to the cursor.
pub(super) fn read(before: &str) -> Typed {
    let mut r = Reader::default();
    let mut chars = before.chars().peekable();
    while let Some(c) = chars.next() {
        match (r.quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => r.quote = None,
            (None, '\'' | '"') => {
                r.quote = Some(c);
                r.begun = true;
            }
            (None | Some('"'), '\\') => {
                if let Some(next) = chars.next().filter(|n| *n != '\n') {
                    r.push(next);
                }
            }
            (None | Some('"'), '$') if chars.next_if_eq(&'(').is_some() => {
                let quote = r.quote.take();
                r.push('$');
                let outer = std::mem::take(&mut r.now);
                r.outer.push((outer, quote));
                r.begun = false;
            }
            (None, ')') if !r.outer.is_empty() => {
                if let Some((outer, quote)) = r.outer.pop() {
                    (r.now, r.quote, r.begun) = (outer, quote, true);
                }
            }
            (None, '|' | '&' | ';' | '(' | ')' | '`' | '\n') => {
                r.now = Typed::default();
                r.begun = false;
            }
            (None, '<' | '>') => {
                // `2>`: the number is no word of the command
                if r.now.word.bytes().all(|b| b.is_ascii_digit()) {
                    r.now.word.clear();
                    r.begun = false;
                }
                r.end();
                r.now.redirected = true;
            }
            (None, c) if c.is_whitespace() => r.end(),
            (_, c) => r.push(c),
        }
    }
    r.now
}

impl Reader {
    fn push(&mut self, c: char) {
        self.now.word.push(c);
        self.begun = true;
    }

    /// The word is whole.
    fn end(&mut self) {
        if !std::mem::take(&mut self.begun) {
            return;
        }
        let word = std::mem::take(&mut self.now.word);
        if std::mem::take(&mut self.now.redirected) {
            return;
        }
        let first = self.now.words.is_empty();
        let assigns = word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        });
        if !first || !assigns && !BEFORE.contains(&word.as_str()) {
            self.now.words.push(word);
        }
    }
}
