//! The Go structs behind the API's types: which fields they have, in their order.
//! What Kubernetes hashes or prints as a whole depends on it.

/// A struct a line: its name, then its fields as `Name:type`, `Name:type=json` where the name
/// in YAML does not follow from the field's.
///
/// Types: `s` string, `b` bool, `i` int32, `l` int64, `m` map of strings, `R` resource list,
/// `Q` quantity, `P` number or text, `T` time, `~X` a string of type X, any other word a struct;
/// before them `*` for a pointer, `[` for a list, `<` for an embedded struct.
const STRUCTS: &str = include_str!("go_structs.txt");

/// A field of a struct.
pub struct Field {
    /// Its name in Go.
    pub name: &'static str,
    /// Its name in YAML.
    pub json: String,
    /// Its type, as written in the table.
    pub kind: &'static str,
}

/// The fields of a struct; none if it is not in the table.
pub fn fields(name: &str) -> impl Iterator<Item = Field> {
    let line = STRUCTS.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
    parsed(line.unwrap_or(""))
}

/// The fields of a line of the table, its name cut off.
pub fn parsed(line: &'static str) -> impl Iterator<Item = Field> {
    line.split_whitespace().map(|field| {
        let (field, json) = match field.split_once('=') {
            Some((field, json)) => (field, Some(json.to_owned())),
            None => (field, None),
        };
        let (name, kind) = field.split_once(':').unwrap_or((field, "s"));
        Field { name, json: json.unwrap_or_else(|| json_name(name)), kind }
    })
}

/// `DNSPolicy` is `dnsPolicy`, `TTY` is `tty`: all leading capitals but the one that begins the
/// next word become small.
fn json_name(go: &str) -> String {
    let capitals = go.bytes().take_while(u8::is_ascii_uppercase).count();
    let small = if capitals == go.len() { capitals } else { capitals.saturating_sub(1).max(1) };
    let (head, tail) = go.split_at(small);
    head.to_ascii_lowercase() + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_yaml() {
        for (go, json) in [
            ("DNSPolicy", "dnsPolicy"),
            ("TTY", "tty"),
            ("Name", "name"),
            ("SELinuxOptions", "seLinuxOptions"),
            ("HostIPC", "hostIPC"),
            ("OS", "os"),
        ] {
            assert_eq!(json_name(go), json);
        }
    }
}
