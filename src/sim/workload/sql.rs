//! As much of MySQL as the documentation's replicated example uses.

use super::database::{Output, Server, joined, load, members, replicated, save};
use crate::api::time::{SECOND, rfc3339};
use crate::world::World;

/// A table: its name with the database, its columns, its rows.
struct Table {
    name: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

#[derive(Default)]
struct Data {
    databases: Vec<String>,
    tables: Vec<Table>,
}

impl Data {
    fn parse(text: &str) -> Self {
        let mut data = Self::default();
        for line in text.lines() {
            let mut parts = line.split('\t');
            let (kind, name) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            let rest: Vec<String> = parts.map(str::to_owned).collect();
            match kind {
                "database" => data.databases.push(name.to_owned()),
                "table" => data.tables.push(Table {
                    name: name.to_owned(),
                    columns: rest,
                    rows: Vec::new(),
                }),
                _ => {
                    if let Some(t) = data.tables.iter_mut().find(|t| t.name == name) {
                        t.rows.push(rest);
                    }
                }
            }
        }
        data
    }

    fn print(&self) -> String {
        let mut out = String::new();
        for name in &self.databases {
            out.extend(["database\t", name, "\n"]);
        }
        for t in &self.tables {
            out.extend(["table\t", &t.name, "\t", &t.columns.join("\t"), "\n"]);
            for row in &t.rows {
                out.extend(["row\t", &t.name, "\t", &row.join("\t"), "\n"]);
            }
        }
        out
    }
}

/// `mysql` with its arguments.
pub(super) fn mysql(
    w: &mut World,
    server: &Server,
    words: &[&str],
    stdin: &str,
    tty: bool,
) -> Output {
    let mut text = stdin.to_owned();
    for (i, word) in words.iter().enumerate() {
        if matches!(*word, "-e" | "--execute") {
            words.get(i + 1).copied().unwrap_or("").clone_into(&mut text);
        } else if let Some(t) = word.strip_prefix("--execute=").or_else(|| word.strip_prefix("-e"))
        {
            t.clone_into(&mut text);
        }
    }
    let (running, _) = members(w, server, 3306);
    let copies = replicated(w, &server.pod);
    let primary = if copies {
        running.iter().find(|s| s.pod.name.ends_with("-0")).cloned()
    } else {
        Some(server.clone())
    };
    let replica = copies && !server.pod.name.ends_with("-0");
    // a replica has what the primary has, as long as that answers
    let source = primary.as_ref().unwrap_or(server);
    let mut data = Data::parse(&load(w, source));
    if replica && primary.is_some() {
        save(w, server, &data.print());
    }
    let mut session = Session {
        database: String::new(),
        host: server.pod.name.to_string(),
        id: if copies {
            let ordinal = server.pod.name.rsplit('-').next().and_then(|n| n.parse::<u64>().ok());
            100 + ordinal.unwrap_or(0)
        } else {
            1
        },
        now: rfc3339(w.now / SECOND * SECOND).trim_end_matches('Z').replace('T', " "),
        replica,
        changed: false,
    };
    let bare = words.iter().any(|w| matches!(*w, "-N" | "--skip-column-names" | "-sN" | "-Ns"));
    let mut output = Output::default();
    for statement in text.split(';').map(str::trim).filter(|s| !s.is_empty()) {
        match session.run(&mut data, statement) {
            Ok(Some((_, rows))) if bare => {
                output.out.extend(rows.iter().map(|r| r.join("\t") + "\n"));
            }
            Ok(Some((head, rows))) => output.out += &table(&head, &rows, tty),
            Ok(None) => {}
            Err(why) => {
                output.err = why + "\n";
                output.code = 1;
                break;
            }
        }
    }
    if session.changed {
        let text = data.print();
        save(w, server, &text);
        if copies {
            for other in running.iter().filter(|s| s.pod != server.pod) {
                save(w, other, &text);
            }
        }
    }
    output
}

struct Session {
    database: String,
    host: String,
    id: u64,
    now: String,
    replica: bool,
    changed: bool,
}

type Rows = Option<(Vec<String>, Vec<Vec<String>>)>;

impl Session {
    fn run(&mut self, data: &mut Data, statement: &str) -> Result<Rows, String> {
        let flat = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let upper = flat.to_ascii_uppercase();
        let words: Vec<&str> = upper.split(' ').collect();
        let raw: Vec<&str> = flat.split(' ').collect();
        let named = |at: usize| {
            let at = if words.get(at) == Some(&"IF") {
                at + if words.get(at + 1) == Some(&"NOT") { 3 } else { 2 }
            } else {
                at
            };
            raw.get(at)
                .map_or("", |s| s.split('(').next().unwrap_or(s))
                .trim_matches('`')
                .to_owned()
        };
        let lenient = upper.contains(" IF ");
        if flat.ends_with("\\G") {
            return Err(unknown(&flat));
        }
        let writes = matches!(
            words.first().copied(),
            Some("CREATE" | "INSERT" | "DELETE" | "DROP" | "UPDATE")
        );
        if writes && self.replica {
            return Err("ERROR 1290 (HY000) at line 1: The MySQL server is running with the --super-read-only option so it cannot execute this statement".to_owned());
        }
        self.changed |= writes;
        match words.as_slice() {
            ["USE", ..] => self.database = named(1),
            ["CREATE", "DATABASE", ..] => {
                let name = named(2);
                if data.databases.contains(&name) {
                    return if lenient {
                        Ok(None)
                    } else {
                        Err(format!(
                            "ERROR 1007 (HY000) at line 1: Can't create database '{name}'; database exists"
                        ))
                    };
                }
                data.databases.push(name);
            }
            ["CREATE", "TABLE", ..] => {
                let name = self.full(&named(2))?;
                if data.tables.iter().any(|t| t.name == name) {
                    let bare = name.rsplit('.').next().unwrap_or("").to_owned();
                    return if lenient {
                        Ok(None)
                    } else {
                        Err(format!("ERROR 1050 (42S01) at line 1: Table '{bare}' already exists"))
                    };
                }
                let body = flat.split_once('(').map_or("", |(_, b)| b.trim_end_matches(')'));
                let columns = body
                    .split(',')
                    .filter_map(|c| c.split_whitespace().next())
                    .map(|c| c.trim_matches('`').to_owned())
                    .collect();
                data.tables.push(Table { name, columns, rows: Vec::new() });
            }
            ["INSERT", "INTO", ..] => {
                let name = self.full(&named(2))?;
                let at = upper.find("VALUES").map_or(flat.len(), |i| i + 6);
                let t = find(data, &name)?;
                for row in flat[at..].split('(').skip(1) {
                    let row = row.split(')').next().unwrap_or("");
                    t.rows.push(row.split(',').map(literal).collect());
                }
            }
            ["DELETE", "FROM", _] => {
                let name = self.full(&named(2))?;
                find(data, &name)?.rows.clear();
            }
            ["DROP", "TABLE", ..] => {
                let name = self.full(&named(2))?;
                data.tables.retain(|t| t.name != name);
            }
            ["DROP", "DATABASE", ..] => {
                let name = named(2);
                data.databases.retain(|d| *d != name);
                data.tables.retain(|t| !t.name.starts_with(&format!("{name}.")));
            }
            ["SHOW", "DATABASES"] => {
                let mut all: Vec<String> =
                    ["information_schema", "mysql", "performance_schema", "sys"]
                        .map(str::to_owned)
                        .to_vec();
                all.extend(data.databases.iter().cloned());
                all.sort();
                let rows = all.into_iter().map(|d| vec![d]).collect();
                return Ok(Some((vec!["Database".to_owned()], rows)));
            }
            ["SHOW", "TABLES", ..] => {
                let prefix = format!("{}.", self.database);
                let names = data.tables.iter().filter_map(|t| t.name.strip_prefix(&prefix));
                let rows = names.map(|n| vec![n.to_owned()]).collect();
                return Ok(Some((vec![format!("Tables_in_{}", self.database)], rows)));
            }
            ["SELECT", ..] => return self.select(data, &flat, &upper),
            [first, ..] if VERBS.split(' ').any(|v| v == *first) => return Err(unknown(&flat)),
            _ => {
                return Err(
                    "ERROR 1064 (42000) at line 1: You have an error in your SQL syntax".to_owned()
                );
            }
        }
        Ok(None)
    }

    fn select(&self, data: &mut Data, flat: &str, upper: &str) -> Result<Rows, String> {
        let end = upper.find(" FROM ");
        let fields: Vec<String> =
            flat[6..end.unwrap_or(flat.len())].split(',').map(|f| f.trim().to_owned()).collect();
        let Some(end) = end else {
            let row = fields
                .iter()
                .map(|f| match f.to_ascii_lowercase().as_str() {
                    "@@server_id" => self.id.to_string(),
                    "@@hostname" => self.host.clone(),
                    "now()" => self.now.clone(),
                    _ => literal(f),
                })
                .collect();
            return Ok(Some((fields, vec![row])));
        };
        let mut rest = flat[end + 6..].split_whitespace();
        let name = rest.next().unwrap_or("");
        if rest.next().is_some() {
            return Err(unknown(flat));
        }
        let t = find(data, &self.full(name.trim_matches('`'))?)?;
        if fields == ["*"] {
            return Ok(Some((t.columns.clone(), t.rows.clone())));
        }
        if fields.first().is_some_and(|f| f.to_ascii_uppercase().starts_with("COUNT(")) {
            return Ok(Some((fields, vec![vec![t.rows.len().to_string()]])));
        }
        let at: Vec<usize> =
            fields.iter().filter_map(|f| t.columns.iter().position(|c| c == f)).collect();
        let rows = t
            .rows
            .iter()
            .map(|r| at.iter().map(|i| r.get(*i).cloned().unwrap_or_default()).collect())
            .collect();
        Ok(Some((fields, rows)))
    }

    fn full(&self, name: &str) -> Result<String, String> {
        if name.contains('.') {
            return Ok(name.to_owned());
        }
        if self.database.is_empty() {
            return Err("ERROR 1046 (3D000) at line 1: No database selected".to_owned());
        }
        Ok(format!("{}.{name}", self.database))
    }
}

/// Statements that MySQL has.
const VERBS: &str = "ALTER ANALYZE BEGIN CALL CHANGE COMMIT CREATE DELETE DESC DESCRIBE DROP EXPLAIN FLUSH GRANT INSERT KILL LOCK OPTIMIZE REPLACE RESET REVOKE ROLLBACK SET SHOW START STOP TRUNCATE UNLOCK UPDATE WITH";

fn unknown(statement: &str) -> String {
    format!("not simulated: {statement}")
}

fn find<'a>(data: &'a mut Data, name: &str) -> Result<&'a mut Table, String> {
    let missing = format!("ERROR 1146 (42S02) at line 1: Table '{name}' doesn't exist");
    data.tables.iter_mut().find(|t| t.name == name).ok_or(missing)
}

fn literal(text: &str) -> String {
    text.trim().trim_matches(['\'', '"']).to_owned()
}

/// A result as `mysql` prints it: a drawn table at a terminal, tabs elsewhere.
fn table(head: &[String], rows: &[Vec<String>], tty: bool) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let all = std::iter::once(head).chain(rows.iter().map(Vec::as_slice));
    if !tty {
        return all.map(|r| r.join("\t") + "\n").collect();
    }
    let width = |i: usize| {
        let cells = std::iter::once(head).chain(rows.iter().map(Vec::as_slice));
        cells.filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let bar = joined(widths.iter().map(|n| format!("+{}", "-".repeat(n + 2))));
    let bar = bar + "+\n";
    // numbers stand at the right
    let number = |i: usize| {
        rows.iter().all(|r| r.get(i).is_some_and(|c| c.parse::<i64>().is_ok() || c == "NULL"))
    };
    let line = |r: &[String], head: bool| {
        let cells = joined(r.iter().zip(&widths).enumerate().map(|(i, (c, n))| {
            if number(i) && !head { format!("| {c:>n$} ") } else { format!("| {c:n$} ") }
        }));
        cells + "|\n"
    };
    let body: String = rows.iter().map(|r| line(r, false)).collect();
    format!("{bar}{}{bar}{body}{bar}", line(head, true))
}
