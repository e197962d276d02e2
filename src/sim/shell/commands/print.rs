//! `echo` and `printf`.

/// `echo`, with `-n` and `-e`.
pub(super) fn echo(args: &[String]) -> String {
    let mut newline = true;
    let mut escapes = false;
    let mut args = args;
    while let Some((first, rest)) = args.split_first() {
        let options = first.strip_prefix('-').unwrap_or("");
        if options.is_empty() || !options.chars().all(|c| "neE".contains(c)) {
            break;
        }
        newline &= !options.contains('n');
        escapes |= options.contains('e');
        args = rest;
    }
    let mut out = args.join(" ");
    if escapes {
        out = unescape(&out);
    }
    if newline {
        out.push('\n');
    }
    out
}

/// Backslash escapes of `echo -e` and `printf`.
pub fn unescape(s: &str) -> String {
    let mut out = String::new();
    let mut chars = s.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') | None => out.push('\\'),
            Some('"') => out.push('"'),
            Some(c) => {
                out.push('\\');
                out.push(c);
            }
        }
    }
    out
}

/// `printf FORMAT ARGS`: `%s`, `%d`, widths, `%%`; the format is used until the arguments end.
pub(super) fn printf(args: &[String]) -> String {
    let Some((format, args)) = args.split_first() else { return String::new() };
    let format = unescape(format);
    let mut args = args.iter();
    let mut out = String::new();
    loop {
        let before = args.len();
        let mut chars = format.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let mut flags = String::new();
            while let Some(c) = chars.next_if(|c| "-+ 0123456789.".contains(*c)) {
                flags.push(c);
            }
            let left = flags.starts_with('-');
            let zero = flags.starts_with('0');
            let digits = flags.trim_start_matches(['-', '+', ' ']);
            let width: usize =
                digits.split('.').next().and_then(|d| d.parse().ok()).unwrap_or(0).min(1000);
            let text = match chars.next() {
                Some('%') | None => "%".to_owned(),
                Some('s' | 'b') => args.next().cloned().unwrap_or_default(),
                Some('q') => args.next().map(|a| format!("'{a}'")).unwrap_or_default(),
                Some(_) => {
                    args.next().and_then(|a| a.trim().parse::<i64>().ok()).unwrap_or(0).to_string()
                }
            };
            let pad = width.saturating_sub(text.chars().count());
            let fill = |c: char| std::iter::repeat_n(c, pad).collect::<String>();
            if left {
                out.push_str(&text);
                out.push_str(&fill(' '));
            } else {
                out.push_str(&fill(if zero { '0' } else { ' ' }));
                out.push_str(&text);
            }
        }
        if args.len() == 0 || args.len() == before {
            return out;
        }
    }
}
