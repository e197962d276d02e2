//! JSON as Go's scanner reads it: whether a text is JSON, and Go's words where it is not.

/// Where a text is no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Bytes read up to and with the wrong character.
    pub offset: usize,
    /// `invalid character '}' looking for beginning of value`; none where the text breaks off.
    pub message: Option<String>,
}

/// The end of the value that begins at `from`, after spaces.
///
/// # Errors
/// The first character that cannot stand where it does.
pub fn value(text: &str, from: usize) -> Result<usize, Fault> {
    let mut scan = Scan { text: text.as_bytes(), at: from };
    scan.value().map(|()| scan.at)
}

/// What Go says of a whole text that is no JSON.
pub fn error(text: &str) -> Option<String> {
    let broken = || "unexpected end of JSON input".to_owned();
    match value(text, 0) {
        Err(fault) => Some(fault.message.unwrap_or_else(broken)),
        Ok(end) => {
            let mut scan = Scan { text: text.as_bytes(), at: end };
            scan.space();
            let c = scan.next().ok()?;
            scan.wrong(c, "after top-level value").message
        }
    }
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, Fault> {
        let c = self.peek().ok_or(Fault { offset: self.at, message: None })?;
        self.at += 1;
        Ok(c)
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|c| matches!(c, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The fault of the character that was read last.
    fn wrong(&self, c: u8, place: &str) -> Fault {
        let shown = match c {
            b'\'' => r"\'".to_owned(),
            b'"' => "\"".to_owned(),
            c => {
                let quoted = format!("{:?}", char::from(c).to_string());
                quoted.trim_matches('"').to_owned()
            }
        };
        Fault { offset: self.at, message: Some(format!("invalid character '{shown}' {place}")) }
    }

    fn value(&mut self) -> Result<(), Fault> {
        // the brackets around the value that is read
        let mut open: Vec<u8> = Vec::new();
        loop {
            self.space();
            match self.next()? {
                b'{' => {
                    self.space();
                    if self.peek() != Some(b'}') {
                        self.key()?;
                        open.push(b'{');
                        continue;
                    }
                    self.at += 1;
                }
                b'[' => {
                    self.space();
                    if self.peek() != Some(b']') {
                        open.push(b'[');
                        continue;
                    }
                    self.at += 1;
                }
                b'"' => self.string()?,
                c @ (b'-' | b'0'..=b'9') => self.number(c)?,
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                c => return Err(self.wrong(c, "looking for beginning of value")),
            }
            while let Some(bracket) = open.last() {
                self.space();
                let object = *bracket == b'{';
                match self.next()? {
                    b',' if object => {
                        self.key()?;
                        break;
                    }
                    b',' => break,
                    b'}' if object => open.pop(),
                    b']' if !object => open.pop(),
                    c if object => return Err(self.wrong(c, "after object key:value pair")),
                    c => return Err(self.wrong(c, "after array element")),
                };
            }
            if open.is_empty() {
                return Ok(());
            }
        }
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<(), Fault> {
        self.space();
        match self.next()? {
            b'"' => self.string()?,
            c => return Err(self.wrong(c, "looking for beginning of object key string")),
        }
        self.space();
        match self.next()? {
            b':' => Ok(()),
            c => Err(self.wrong(c, "after object key")),
        }
    }

    fn string(&mut self) -> Result<(), Fault> {
        loop {
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => match self.next()? {
                    b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => {}
                    b'u' => {
                        for _ in 0..4 {
                            let c = self.next()?;
                            if !c.is_ascii_hexdigit() {
                                return Err(self.wrong(c, r"in \u hexadecimal character escape"));
                            }
                        }
                    }
                    c => return Err(self.wrong(c, "in string escape code")),
                },
                c if c < b' ' => return Err(self.wrong(c, "in string literal")),
                _ => {}
            }
        }
    }

    fn number(&mut self, first: u8) -> Result<(), Fault> {
        let mut first = first;
        if first == b'-' {
            first = self.digit("in numeric literal")?;
        }
        if first != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        Ok(())
    }

    fn digit(&mut self, place: &str) -> Result<u8, Fault> {
        let c = self.next()?;
        if c.is_ascii_digit() { Ok(c) } else { Err(self.wrong(c, place)) }
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
    }

    /// The rest of a word.
    fn literal(&mut self, word: &str) -> Result<(), Fault> {
        for want in word.bytes().skip(1) {
            let c = self.next()?;
            if c != want {
                let want = char::from(want);
                return Err(self.wrong(c, &format!("in literal {word} (expecting '{want}')")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gos_words_and_offsets() {
        for (text, offset, want) in [
            (r#"{"a": {},}"#, 10, "'}' looking for beginning of object key string"),
            ("{a: 1}", 2, "'a' looking for beginning of object key string"),
            ("{'a': 1}", 2, r"'\'' looking for beginning of object key string"),
            (r#"{"a": tru}"#, 10, "'}' in literal true (expecting 'e')"),
            ("{\"a\": \"x\ty\"}", 9, r"'\t' in string literal"),
            (r#"{"a": 01}"#, 8, "'1' after object key:value pair"),
            (r#"{"a" 1}"#, 6, "'1' after object key"),
            (r#"{"a": 1 "b": 2}"#, 9, "'\"' after object key:value pair"),
            (r#"{"a": [1 2]}"#, 10, "'2' after array element"),
            (r#"{"a": [1,]}"#, 10, "']' looking for beginning of value"),
            (r#"{"a": "\x"}"#, 9, "'x' in string escape code"),
            (r#"{"a": "\u00g0"}"#, 12, r"'g' in \u hexadecimal character escape"),
            (r#"{"a": -}"#, 8, "'}' in numeric literal"),
            (r#"{"a": 1.}"#, 9, "'}' after decimal point in numeric literal"),
            (r#"{"a": 1e}"#, 9, "'}' in exponent of numeric literal"),
            ("{\"a\": // x\n1}", 7, "'/' looking for beginning of value"),
        ] {
            let message = Some(format!("invalid character {want}"));
            assert_eq!(value(text, 0), Err(Fault { offset, message }), "{text}");
        }
        assert_eq!(value(r#"{"a": "#, 0), Err(Fault { offset: 6, message: None }));
        for good in [r#" {"a": [1, -0.5e+3, "\u00e9\n", {}, [], true, false, null]}"#, "[]", "0"] {
            assert_eq!(value(good, 0), Ok(good.len()));
            assert_eq!(error(good), None);
        }
        assert_eq!(error("{").as_deref(), Some("unexpected end of JSON input"));
        assert_eq!(error("{} x").as_deref(), Some("invalid character 'x' after top-level value"));
    }
}
