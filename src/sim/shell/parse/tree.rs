//! What a shell text says: commands, words, redirections.

use std::rc::Rc;

/// A piece of a word.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text as it stands.
    Text(String),
    /// `$name` and `${name:-other}`; `quoted`: its value is not split into words.
    Var {
        /// Name, or `?`, `#`, `@`, `*`, a digit.
        name: String,
        /// What follows the name in braces: operator and word.
        or: Option<(String, Word)>,
        /// Inside double quotes?
        quoted: bool,
    },
    /// `$(…)`.
    Command {
        /// What is run.
        node: Rc<Node>,
        /// Inside double quotes?
        quoted: bool,
    },
    /// `$((…))`.
    Arithmetic(Word),
    /// `*`, `?` or `[` without quotes: a file pattern.
    Glob(char),
    /// `a{b,c}` and `{1..3}`: the word as it stands, and the words that bash makes of it.
    Braces(Word, Vec<Word>),
}

/// A word: its pieces.
pub type Word = Vec<Part>;

/// Where a stream goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Redirect {
    /// `N> file`, `N>> file`; N of `&>` is 3: both.
    To {
        /// Number of the stream.
        fd: u8,
        /// At the end of the file?
        append: bool,
        /// The file.
        file: Word,
    },
    /// `N>&M`.
    Copy(u8, u8),
    /// `< file`.
    From(Word),
    /// A here-document or here-string.
    Here(Word),
}

/// A command.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `A=1 name word… > file`.
    Simple {
        /// Assignments in front.
        assign: Vec<(String, Word)>,
        /// Name and arguments.
        words: Vec<Word>,
        /// Redirections.
        redirects: Vec<Redirect>,
    },
    /// `a | b | c`; true: `!` in front.
    Pipe(Vec<Rc<Node>>, bool),
    /// `a && b` (true) or `a || b`.
    AndOr(Rc<Node>, bool, Rc<Node>),
    /// `a; b; c`.
    List(Vec<Rc<Node>>),
    /// `for x in words; do …; done`.
    For(String, Option<Vec<Word>>, Rc<Node>),
    /// `for ((first; test; step)); do …; done`: the three, and the body.
    Count([Rc<Node>; 3], Rc<Node>),
    /// `while` (true) or `until`.
    While(Rc<Node>, bool, Rc<Node>),
    /// `if … then … elif … else … fi`.
    If(Vec<(Rc<Node>, Rc<Node>)>, Option<Rc<Node>>),
    /// `case word in pattern | pattern) …;; esac`.
    Case(Word, Vec<(Vec<Word>, Rc<Node>)>),
    /// `name() …`.
    Function(String, Rc<Node>),
    /// `[[ … ]]`.
    Test(Cond),
    /// `(( … ))`.
    Arithmetic(Word),
    /// `time …`.
    Time(Rc<Node>),
    /// `{ …; }` (false) or `( … )` (true), and compound commands with redirections.
    Group(Rc<Node>, bool, Vec<Redirect>),
}

/// What stands in `[[ … ]]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Cond {
    /// `word`, `-f word`, `word op word`.
    Plain(Vec<Word>),
    /// `! …`.
    Not(Box<Self>),
    /// `… && …` (true), `… || …`.
    Both(Box<Self>, bool, Box<Self>),
}

impl Cond {
    /// All its words, in order.
    pub fn words(&self) -> Vec<&Word> {
        match self {
            Self::Plain(words) => words.iter().collect(),
            Self::Not(c) => c.words(),
            Self::Both(a, _, b) => a.words().into_iter().chain(b.words()).collect(),
        }
    }
}
