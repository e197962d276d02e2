//! Colours for YAML, line by line: enough to read by, no parser.

/// What a piece of a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paint {
    /// Nothing special.
    Plain,
    /// A key.
    Key,
    /// Quoted text.
    Text,
    /// A number.
    Number,
    /// true, false, null, None.
    Word,
    /// A comment.
    Comment,
    /// Dashes, brackets, document marks.
    Mark,
}

impl Paint {
    /// Its class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Key => "y-key",
            Self::Text => "y-text",
            Self::Number => "y-num",
            Self::Word => "y-word",
            Self::Comment => "y-com",
            Self::Mark => "y-mark",
        }
    }
}

/// Pieces of a line, together the line.
pub fn line(text: &str) -> Vec<(Paint, &str)> {
    let mut out = Vec::new();
    if text == "---" || text == "..." {
        return vec![(Paint::Mark, text)];
    }
    let (body, comment) = text.split_at(comment_at(text));
    let trimmed = body.trim_start();
    let mut rest = trimmed;
    push(&mut out, Paint::Plain, &body[..body.len() - trimmed.len()]);
    while let Some(tail) = rest.strip_prefix("- ") {
        push(&mut out, Paint::Mark, "- ");
        rest = tail;
    }
    if rest == "-" {
        push(&mut out, Paint::Mark, rest);
        rest = "";
    }
    flow(rest, &mut out);
    push(&mut out, Paint::Comment, comment);
    out
}

fn push<'a>(out: &mut Vec<(Paint, &'a str)>, paint: Paint, text: &'a str) {
    if !text.is_empty() {
        out.push((paint, text));
    }
}

/// Where a comment begins: a `#` at the start or after a space, outside of quotes.
fn comment_at(text: &str) -> usize {
    let mut quote = None;
    let mut before = ' ';
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') if before == ' ' || "[{,:".contains(before) => quote = Some(c),
            (None, '#') if before == ' ' => return i,
            _ => {}
        }
        before = c;
    }
    text.len()
}

/// Keys and values, also inside of brackets.
fn flow<'a>(text: &'a str, out: &mut Vec<(Paint, &'a str)>) {
    let mut rest = text;
    while !rest.is_empty() {
        let first = rest.chars().next().unwrap_or(' ');
        if "[]{},".contains(first) {
            push(out, Paint::Mark, &rest[..1]);
            rest = &rest[1..];
            continue;
        }
        if first == ' ' {
            let n = rest.len() - rest.trim_start_matches(' ').len();
            push(out, Paint::Plain, &rest[..n]);
            rest = &rest[n..];
            continue;
        }
        let end = if first == '"' || first == '\'' {
            rest[1..].find(first).map_or(rest.len(), |i| i + 2)
        } else {
            rest.char_indices()
                .find(|(i, c)| {
                    "[]{},".contains(*c)
                        || (*c == ':' && matches!(rest.as_bytes().get(i + 1), None | Some(b' ')))
                })
                .map_or(rest.len(), |(i, _)| i)
        };
        let (word, tail) = rest.split_at(end);
        if let Some(after) = tail.strip_prefix(':').filter(|a| a.is_empty() || a.starts_with(' ')) {
            push(out, Paint::Key, word);
            push(out, Paint::Mark, &tail[..1]);
            rest = after;
        } else {
            push(out, value(word.trim_end()), word);
            rest = tail;
        }
    }
}

fn value(word: &str) -> Paint {
    match word {
        "true" | "false" | "null" | "~" | "None" => Paint::Word,
        w if w.starts_with('"') || w.starts_with('\'') => Paint::Text,
        w if w.parse::<f64>().is_ok() => Paint::Number,
        w if w.starts_with(|c: char| c.is_ascii_digit())
            && w.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
                .chars()
                .all(char::is_alphabetic) =>
        {
            Paint::Number
        }
        _ => Paint::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(Paint, &str)]) {
        assert_eq!(line(text), expected);
        assert_eq!(line(text).iter().map(|(_, t)| *t).collect::<String>(), text);
    }

    #[test]
    fn lines_are_painted() {
        use Paint::{Comment, Key, Mark, Number, Plain, Text, Word};
        check(
            "  replicas: 3",
            &[(Plain, "  "), (Key, "replicas"), (Mark, ":"), (Plain, " "), (Number, "3")],
        );
        check(
            "- name: web # it",
            &[
                (Mark, "- "),
                (Key, "name"),
                (Mark, ":"),
                (Plain, " "),
                (Plain, "web "),
                (Comment, "# it"),
            ],
        );
        check("clusterIP: None", &[(Key, "clusterIP"), (Mark, ":"), (Plain, " "), (Word, "None")]);
        check("a: \"x # y\"", &[(Key, "a"), (Mark, ":"), (Plain, " "), (Text, "\"x # y\"")]);
        check(
            "image: nginx:1.27",
            &[(Key, "image"), (Mark, ":"), (Plain, " "), (Plain, "nginx:1.27")],
        );
        check("---", &[(Mark, "---")]);
    }

    #[test]
    fn nothing_breaks_it() {
        for text in ["'", "\"", "{", "- - -", ":", "a: 'ü", "é: #", "\t- x"] {
            assert_eq!(line(text).iter().map(|(_, t)| *t).collect::<String>(), text);
        }
    }
}
