//! How deep the brackets of a YAML text are nested, found without reading it as YAML: the reader
//! would take hours for a million of them.

/// Where the scan stands.
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// Start of the line.
    line: usize,
    open: usize,
    most: usize,
}

/// Most brackets of lists and maps that are open at one place. Those in quotes, comments, texts
/// of several lines and in the middle of a plain text are none.
pub fn depth(text: &str) -> usize {
    let mut scan = Scan { text: text.as_bytes(), at: 0, line: 0, open: 0, most: 0 };
    scan.run();
    scan.most
}

impl Scan<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        // what follows the text is as good as a line's end
        self.text.get(self.at + ahead).copied().unwrap_or(b'\n')
    }

    fn run(&mut self) {
        // column of the key or dash to which a value belongs
        let mut parent: Option<usize> = None;
        // may a value begin here?
        let mut start = true;
        while self.at < self.text.len() {
            let b = self.byte(0);
            let ends = self.byte(1).is_ascii_whitespace();
            match b {
                b'\n' => {
                    self.at += 1;
                    self.line = self.at;
                    (parent, start) = (None, true);
                    continue;
                }
                b' ' | b'\t' | b'\r' => {
                    self.at += 1;
                    if self.byte(0) == b'#' {
                        self.skip_line();
                    }
                    continue;
                }
                b'#' if self.at == self.line => {
                    self.skip_line();
                    continue;
                }
                b'"' | b'\'' if start => {
                    self.quoted(b);
                    start = false;
                    continue;
                }
                b'[' | b'{' if start || self.open > 0 => {
                    self.open += 1;
                    self.most = self.most.max(self.open);
                    start = true;
                }
                b']' | b'}' if self.open > 0 => {
                    self.open -= 1;
                    start = false;
                }
                b',' if self.open > 0 => start = true,
                b':' if ends || self.open > 0 => start = true,
                b'-' | b'?' if start && ends && self.open == 0 => {
                    parent = Some(self.at - self.line);
                }
                b'|' | b'>' if start && self.open == 0 => {
                    self.block(parent);
                    (parent, start) = (None, true);
                    continue;
                }
                // tags and anchors stand before a value
                b'!' | b'&' if start => {
                    while !self.byte(0).is_ascii_whitespace() {
                        self.at += 1;
                    }
                    continue;
                }
                _ if start => {
                    if self.open == 0 && parent.is_none_or(|p| !self.is_value(p)) {
                        parent = Some(self.at - self.line);
                    }
                    start = false;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Does a value stand here, of the key in that column?
    fn is_value(&self, column: usize) -> bool {
        let key = self.text.get(self.line + column..self.at).unwrap_or_default();
        key.trim_ascii_end().ends_with(b":")
    }

    fn skip_line(&mut self) {
        while self.at < self.text.len() && self.byte(0) != b'\n' {
            self.at += 1;
        }
    }

    fn quoted(&mut self, quote: u8) {
        self.at += 1;
        while self.at < self.text.len() && self.byte(0) != quote {
            if self.byte(0) == b'\n' {
                self.line = self.at + 1;
            }
            self.at += 1 + usize::from(quote == b'"' && self.byte(0) == b'\\');
        }
        self.at += 1;
    }

    /// A text of several lines, all further in than what they belong to.
    fn block(&mut self, parent: Option<usize>) {
        self.skip_line();
        while self.at < self.text.len() {
            let next = self.at + 1;
            let rest = self.text.get(next..).unwrap_or_default();
            let line = rest.split(|b| *b == b'\n').next().unwrap_or_default();
            let indent = line.iter().take_while(|b| **b == b' ').count();
            let blank = line.trim_ascii().is_empty();
            if !blank && parent.is_some_and(|p| indent <= p) {
                break;
            }
            self.at = next;
            self.line = next;
            self.skip_line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn only_lists_and_maps_count() {
        for (text, want) in [
            ("a: [1, {b: [2]}]\n", 3),
            ("a: \"[[[\"\nb: '[[['\nc: x[[[\nd: it's [[[\n", 0),
            ("# [[[\na: 1 # [[[\nb: [ # [[[\n 1]\n", 1),
            ("a: |\n  [[[\n\n  {{{\nb: [1]\n", 1),
            ("- a: >-\n    [[[\n  b: {c: '}'}\n", 1),
            ("- |\n [[[\n- [[]]\n", 2),
            ("a: [\"[\", '[', x]\n", 1),
            ("a: !!seq &x [[1]]\n", 2),
            ("{\"a\":{\"b\":[\"\\\"[[[\"]}}", 3),
            ("[[[[", 4),
            ("a: [x, it's, [y]]\n", 2),
        ] {
            assert_eq!(depth(text), want, "{text}");
        }
    }
}
