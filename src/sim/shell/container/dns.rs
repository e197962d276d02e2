//! nslookup, dig, host, getent, ping (behaviour/services-and-dns.md 5 to 7).

use super::{Inside, Tools, later};
use crate::config::Delay;
use crate::kubectl::io::{Io, Run};
use crate::net::dns::{self, Answer, Rcode, Rr, Type};
use crate::net::resolver::{self, SERVER};
use crate::rng::Stream;
use crate::value::{Str, text};
use crate::world::World;

/// How long the last lookup takes from now.
fn delay(w: &World, inside: &Inside) -> u64 {
    w.delay(Delay::Dns, &[&inside.pod.name, &w.log.len().to_string()])
}

fn record_type(word: &str) -> Option<Type> {
    Some(match word.to_ascii_uppercase().as_str() {
        "A" => Type::A,
        "AAAA" => Type::Aaaa,
        "SRV" => Type::Srv,
        "PTR" => Type::Ptr,
        "CNAME" => Type::Cname,
        "TXT" => Type::Txt,
        "SOA" => Type::Soa,
        "NS" => Type::Ns,
        _ => return None,
    })
}

fn is_address(name: &str) -> bool {
    name.split('.').count() == 4 && name.split('.').all(|p| p.parse::<u8>().is_ok())
}

/// `6.1.244.10.in-addr.arpa`.
fn arpa(ip: &str) -> String {
    let parts: Vec<&str> = ip.split('.').rev().collect();
    format!("{}.in-addr.arpa", parts.join("."))
}

/// The server that a program in the container asks.
fn server(w: &World, inside: &Inside) -> Str {
    w.store.by_key(&inside.pod).map_or(Str::Lit(SERVER), resolver::server)
}

/// `nslookup [-type=T] NAME [SERVER]`.
pub fn nslookup(w: &mut World, io: &mut Io, inside: &Inside, args: &[String]) -> Run {
    let mut rtype = None;
    let (mut name, mut server) = (None, server(w, inside));
    for a in args {
        let option = a
            .strip_prefix("-type=")
            .or_else(|| a.strip_prefix("-query="))
            .or_else(|| a.strip_prefix("-q="));
        if let Some(t) = option {
            rtype = record_type(t);
        } else if !a.starts_with('-') && name.is_none() {
            name = Some(a.as_str());
        } else if is_address(a) {
            server = text(a);
        }
    }
    let Some(name) = name else {
        io.err("not simulated: nslookup without a name");
        return Run::Done(1);
    };
    let mut out = Io::new(io.term);
    let code = match inside.tools() {
        Tools::BusyBoxOld => old_busybox(w, &mut out, inside, name, &server),
        Tools::BusyBox => busybox(w, &mut out, inside, name, rtype, &server),
        Tools::Gnu => bind(w, &mut out, inside, name, rtype, &server),
    };
    let after = delay(w, inside);
    later(w, io, after, &mut out, code)
}

fn reverse(w: &World, ip: &str) -> String {
    dns::names_of(w, ip).into_iter().next().unwrap_or_default()
}

/// BusyBox 1.28: the C library looks up, the names of the addresses stand behind them.
fn old_busybox(w: &mut World, out: &mut Io, inside: &Inside, name: &str, server: &str) -> i32 {
    let line = |n: usize, ip: &str, back: &str| {
        let label = format!("Address {n}:");
        format!("{label:<10} {ip} {back}").trim_end().to_owned()
    };
    let known = server == SERVER;
    let own = if known { "kube-dns.kube-system.svc.cluster.local" } else { "" };
    out.line(format!("{:<10} {server}", "Server:"));
    out.line(line(1, server, own));
    out.line("");
    let addresses: Vec<Str> = if is_address(name) {
        vec![text(name)]
    } else {
        let found = crate::net::lookup(w, &inside.pod, name).addresses;
        if self::server(w, inside) == server {
            found
        } else {
            let answer = expanded(w, inside, name, Type::A, server);
            answer.map(|a| a.addresses().cloned().collect()).unwrap_or_default()
        }
    };
    if addresses.is_empty() {
        out.err(format!("nslookup: can't resolve '{name}'"));
        return 1;
    }
    out.line(format!("{:<10} {name}", "Name:"));
    for (i, ip) in addresses.iter().enumerate() {
        let back = if known { reverse(w, ip) } else { String::new() };
        out.line(line(i + 1, ip, &back));
    }
    0
}

fn data(rr: &Rr) -> String {
    match rr.rtype {
        Type::A | Type::Aaaa => format!("Name:\t{}\nAddress: {}", rr.name, rr.data),
        Type::Srv => format!("{}\tservice = {}", rr.name, rr.data),
        Type::Ptr => format!("{}\tname = {}", rr.name, rr.data),
        Type::Cname => format!("{}\tcanonical name = {}", rr.name, rr.data),
        Type::Txt => format!("{}\ttext = {}", rr.name, rr.data),
        Type::Ns => format!("{}\tnameserver = {}", rr.name, rr.data),
        Type::Soa => {
            let labels = ["origin", "mail addr", "serial", "refresh", "retry", "expire", "minimum"];
            let mut text = rr.name.to_string();
            for (label, value) in labels.iter().zip(rr.data.split(' ')) {
                text.push_str(&format!("\n\t{label} = {}", value.trim_end_matches('.')));
            }
            text
        }
    }
}

/// BusyBox from 1.29 on: A, then AAAA of each name of the search list, all answers printed; a
/// name with a dot is not expanded.
fn busybox(
    w: &mut World,
    out: &mut Io,
    inside: &Inside,
    name: &str,
    rtype: Option<Type>,
    server: &str,
) -> i32 {
    out.line(format!("Server:\t\t{server}"));
    out.line(format!("Address:\t{server}:53"));
    out.line("");
    let Some(pod) = w.store.by_key(&inside.pod).cloned() else { return 1 };
    let (names, types) = if is_address(name) {
        (vec![arpa(name)], vec![Type::Ptr])
    } else {
        let search = resolver::search(&pod);
        let names = if name.contains('.') || search.is_empty() {
            vec![name.trim_end_matches('.').to_owned()]
        } else {
            search.iter().map(|s| format!("{name}.{s}")).collect()
        };
        (names, rtype.map_or_else(|| vec![Type::A, Type::Aaaa], |t| vec![t]))
    };
    // the question travels on the stage too
    let _ = crate::net::lookup(w, &inside.pod, name);
    let mut code = 0;
    // all questions of one type are sent before those of the next
    for t in &types {
        for name in &names {
            let answer = dns::ask(w, server, name, *t);
            if answer.rcode == Rcode::NxDomain {
                out.line(format!("** server can't find {name}: NXDOMAIN"));
                code = 1;
            } else {
                if !answer.authoritative && !answer.records.is_empty() {
                    out.line("Non-authoritative answer:");
                }
                for rr in &answer.records {
                    out.line(data(rr));
                }
            }
            out.line("");
        }
    }
    code
}

/// The first name of the search list that has an answer.
fn expanded(w: &mut World, inside: &Inside, name: &str, t: Type, server: &str) -> Option<Answer> {
    let pod = w.store.by_key(&inside.pod)?.clone();
    for candidate in resolver::candidates(&pod, name) {
        let answer = dns::ask(w, server, &candidate, t);
        if answer.rcode == Rcode::NoError && !answer.records.is_empty() {
            return Some(answer);
        }
    }
    None
}

/// The name of the search list that exists, though without a record of that type.
fn exists(w: &mut World, inside: &Inside, name: &str, t: Type, server: &str) -> Option<String> {
    let pod = w.store.by_key(&inside.pod)?.clone();
    let mut all = resolver::candidates(&pod, name).into_iter();
    all.find(|c| dns::ask(w, server, c, t).rcode == Rcode::NoError)
}

/// BIND's nslookup.
fn bind(
    w: &mut World,
    out: &mut Io,
    inside: &Inside,
    name: &str,
    rtype: Option<Type>,
    server: &str,
) -> i32 {
    out.line(format!("Server:\t\t{server}"));
    out.line(format!("Address:\t{server}#53"));
    out.line("");
    let answer = if is_address(name) {
        let answer = dns::ask(w, server, &arpa(name), Type::Ptr);
        (answer.rcode == Rcode::NoError && !answer.records.is_empty()).then_some(answer)
    } else {
        let _ = crate::net::lookup(w, &inside.pod, name);
        expanded(w, inside, name, rtype.unwrap_or(Type::A), server)
    };
    match answer {
        Some(answer) => {
            if !answer.authoritative {
                out.line("Non-authoritative answer:");
            }
            for rr in &answer.records {
                let dot =
                    if matches!(rr.rtype, Type::Srv | Type::Ptr | Type::Ns) { "." } else { "" };
                out.line(format!("{}{dot}", data(rr)));
            }
            out.line("");
            0
        }
        None => {
            let shown = if is_address(name) { arpa(name) } else { name.to_owned() };
            if exists(w, inside, name, rtype.unwrap_or(Type::A), server).is_some() {
                out.line(format!("*** Can't find {name}: No answer"));
                out.line("");
                return 0;
            }
            out.line(format!("** server can't find {shown}: NXDOMAIN"));
            out.line("");
            1
        }
    }
}

fn type_name(t: Type) -> &'static str {
    match t {
        Type::A => "A",
        Type::Aaaa => "AAAA",
        Type::Srv => "SRV",
        Type::Ptr => "PTR",
        Type::Cname => "CNAME",
        Type::Txt => "TXT",
        Type::Soa => "SOA",
        Type::Ns => "NS",
    }
}

/// Data as dig prints it: names end in a dot.
fn dig_data(rr: &Rr) -> String {
    match rr.rtype {
        Type::Srv | Type::Ptr | Type::Cname | Type::Ns => format!("{}.", rr.data),
        _ => rr.data.to_string(),
    }
}

/// `dig [@SERVER] [+short] [+search] [-t T] NAME [T]`.
pub fn dig(w: &mut World, io: &mut Io, inside: &Inside, args: &[String]) -> Run {
    let (mut short, mut search, mut rtype, mut name) = (false, false, Type::A, None);
    let (mut all, mut answers) = (true, false);
    let mut server = server(w, inside);
    let mut words = args.iter();
    while let Some(a) = words.next() {
        match a.as_str() {
            "+short" => short = true,
            "+search" => search = true,
            "+noall" => all = false,
            "+answer" => answers = true,
            "ANY" | "any" | "AXFR" | "axfr" => {
                io.err(format!("not simulated: dig {a}"));
                return Run::Done(1);
            }
            "-t" => rtype = words.next().and_then(|t| record_type(t)).unwrap_or(Type::A),
            "-x" => {
                name = words.next().map(|ip| arpa(ip));
                rtype = Type::Ptr;
            }
            a if a.starts_with('@') => {
                if let Some(ip) = a.strip_prefix('@').filter(|ip| is_address(ip)) {
                    server = text(ip);
                }
            }
            a if a.starts_with('+') || a.starts_with('-') => {}
            a => match record_type(a) {
                Some(t) => rtype = t,
                None => name = Some(a.to_owned()),
            },
        }
    }
    let Some(typed) = name else {
        io.err("not simulated: dig without a name");
        return Run::Done(1);
    };
    let mut name = typed.trim_end_matches('.').to_owned();
    if rtype == Type::A {
        let _ = crate::net::lookup(w, &inside.pod, &format!("{name}."));
    }
    let mut answer = dns::ask(w, &server, &name, rtype);
    if search && let Some(pod) = w.store.by_key(&inside.pod).cloned() {
        for candidate in resolver::candidates(&pod, &typed) {
            answer = dns::ask(w, &server, &candidate, rtype);
            name = candidate;
            if answer.rcode == Rcode::NoError {
                break;
            }
        }
    }
    let mut out = Io::new(io.term);
    if short {
        for rr in &answer.records {
            out.line(dig_data(rr));
        }
    } else if !all {
        for rr in answer.records.iter().filter(|_| answers) {
            out.line(row(rr));
        }
    } else {
        full(w, &mut out, &args.join(" "), (&name, rtype, &server), &answer);
    }
    let after = delay(w, inside);
    later(w, io, after, &mut out, 0)
}

/// Cells in dig's columns: each begins in its column, or one further than what stands before it,
/// and is reached with tabs as far as these go.
fn columns(cells: &[(usize, &str)]) -> String {
    let mut line = String::new();
    let mut at = 0;
    for (column, cell) in cells {
        let to = if at == 0 { 0 } else { (*column).max(at + 1) };
        let tabs = to / 8 - at / 8;
        let from = if tabs > 0 { to / 8 * 8 } else { at };
        line.push_str(&"\t".repeat(tabs));
        line.push_str(&" ".repeat(to - from));
        line.push_str(cell);
        at = to + cell.len();
    }
    line
}

fn row(rr: &Rr) -> String {
    record(&rr.name, rr.ttl, type_name(rr.rtype), &dig_data(rr))
}

fn record(name: &str, ttl: u32, rtype: &str, data: &str) -> String {
    let (name, ttl) = (format!("{name}."), ttl.to_string());
    columns(&[(0, &name), (24, &ttl), (32, "IN"), (40, rtype), (48, data)])
}

/// Bytes of a name in a message; CoreDNS shortens none.
fn wire(name: &str) -> usize {
    name.trim_end_matches('.').len() + 2
}

/// Bytes of a record.
fn size(rr: &Rr) -> usize {
    let data = match rr.rtype {
        Type::A => 4,
        Type::Aaaa => 16,
        Type::Srv => 6 + wire(rr.data.rsplit(' ').next().unwrap_or_default()),
        Type::Ptr | Type::Cname | Type::Ns => wire(&rr.data),
        Type::Txt => rr.data.len(),
        // two names and five numbers
        Type::Soa => rr.data.split(' ').take(2).map(wire).sum::<usize>() + 20,
    };
    wire(&rr.name) + 10 + data
}

fn full(
    w: &World,
    out: &mut Io,
    typed: &str,
    (name, rtype, server): (&str, Type, &str),
    answer: &Answer,
) {
    let gone = answer.rcode == Rcode::NxDomain;
    let empty = answer.records.is_empty();
    let status = if gone { "NXDOMAIN" } else { "NOERROR" };
    let aa = if answer.authoritative { " aa" } else { "" };
    let ra = if answer.recursive { " ra" } else { "" };
    // who answers for what is not there: the cluster's server for its own zone
    let soa = Some(dns::soa()).filter(|_| empty && !answer.recursive);
    let id = w.log.len() % 65_536;
    out.line(format!("\n; <<>> DiG 9.18.28 <<>> {typed}"));
    out.line(";; global options: +cmd\n;; Got answer:");
    if name.rsplit('.').next().is_some_and(|top| top.eq_ignore_ascii_case("local")) {
        out.line(";; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS");
    }
    out.line(format!(";; ->>HEADER<<- opcode: QUERY, status: {status}, id: {id}"));
    out.line(format!(
        ";; flags: qr{aa} rd{ra}; QUERY: 1, ANSWER: {}, AUTHORITY: {}, ADDITIONAL: {}",
        answer.records.len(),
        u8::from(soa.is_some()),
        answer.additional.len() + 1
    ));
    if !answer.recursive {
        out.line(";; WARNING: recursion requested but not available");
    }
    out.line("");
    let cookie = Stream::new(w.config.seed, &["dig", &id.to_string()]).range(0, u64::MAX - 1);
    out.line(";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232");
    out.line(format!("; COOKIE: {cookie:016x} (echoed)"));
    let question = columns(&[(0, &format!("{name}.")), (32, "IN"), (40, type_name(rtype))]);
    out.line(format!(";; QUESTION SECTION:\n;{question}\n"));
    // the head, the question, and the option with the cookie
    let mut bytes = 12 + wire(name) + 4 + 23;
    bytes += answer.records.iter().chain(&answer.additional).map(size).sum::<usize>();
    if let Some(soa) = soa {
        out.line(format!(";; AUTHORITY SECTION:\n{}\n", row(&soa)));
        bytes += size(&soa);
    }
    if !empty {
        out.line(";; ANSWER SECTION:");
        for rr in &answer.records {
            out.line(row(rr));
        }
        out.line("");
    }
    if !answer.additional.is_empty() {
        out.line(";; ADDITIONAL SECTION:");
        for rr in &answer.additional {
            out.line(row(rr));
        }
        out.line("");
    }
    // Mon, 05 Jan 2026 09:00:03 +0000
    let stamp = crate::api::time::rfc1123(w.now);
    let words: Vec<&str> = stamp.split([' ', ',']).filter(|s| !s.is_empty()).collect();
    let word = |i: usize| words.get(i).copied().unwrap_or("");
    let when = format!("{} {} {} {} UTC {}", word(0), word(2), word(1), word(4), word(3));
    out.line(format!(
        ";; Query time: 1 msec\n;; SERVER: {server}#53({server}) (UDP)\n;; WHEN: {when}\n;; MSG SIZE  rcvd: {bytes}\n"
    ));
}

/// `host [-t TYPE] NAME`.
pub fn host(w: &mut World, io: &mut Io, inside: &Inside, args: &[String]) -> Run {
    let mut rtype = None;
    let mut name = None;
    let mut words = args.iter();
    while let Some(a) = words.next() {
        match a.as_str() {
            "-t" => rtype = words.next().and_then(|t| record_type(t)),
            a if a.starts_with('-') => {}
            a => name = Some(a.to_owned()),
        }
    }
    let Some(name) = name else {
        io.err("not simulated: host without a name");
        return Run::Done(1);
    };
    let mut out = Io::new(io.term);
    if is_address(&name) || rtype.is_some_and(|t| t != Type::A) {
        let code = host_records(w, &mut out, inside, &name, rtype.unwrap_or(Type::Ptr));
        let after = delay(w, inside);
        return later(w, io, after, &mut out, code);
    }
    let found = crate::net::lookup(w, &inside.pod, &name);
    let code = match &found.found {
        Some(absolute) => {
            for ip in &found.addresses {
                out.line(format!("{absolute} has address {ip}"));
            }
            0
        }
        None => {
            out.line(format!("Host {name} not found: 3(NXDOMAIN)"));
            1
        }
    };
    let after = delay(w, inside);
    later(w, io, after, &mut out, code)
}

/// What `host` says of records that are no addresses.
fn host_records(w: &mut World, out: &mut Io, inside: &Inside, name: &str, t: Type) -> i32 {
    let address = is_address(name);
    let shown = if address { arpa(name) } else { name.trim_end_matches('.').to_owned() };
    let server = server(w, inside);
    let answer = if address {
        let answer = dns::ask(w, &server, &shown, Type::Ptr);
        (!answer.records.is_empty()).then_some(answer)
    } else {
        expanded(w, inside, name, t, &server)
    };
    let Some(answer) = answer else {
        if !address && let Some(found) = exists(w, inside, name, t, &server) {
            out.line(format!("{found} has no {} record", type_name(t)));
            return 0;
        }
        let shown = if address { format!("{shown}.") } else { shown };
        out.line(format!("Host {shown} not found: 3(NXDOMAIN)"));
        return 1;
    };
    for rr in &answer.records {
        let words = match rr.rtype {
            Type::A => "has address",
            Type::Aaaa => "has IPv6 address",
            Type::Ptr => "domain name pointer",
            Type::Cname => "is an alias for",
            Type::Srv => "has SRV record",
            Type::Txt => "descriptive text",
            Type::Soa => "has SOA record",
            Type::Ns => "name server",
        };
        out.line(format!("{} {words} {}", rr.name, dig_data(rr)));
    }
    0
}

/// `getent hosts NAME`, `getent ahosts NAME`.
pub fn getent(w: &mut World, io: &mut Io, inside: &Inside, args: &[String]) -> Run {
    let [table, names @ ..] = args else {
        io.err("getent: wrong number of arguments");
        return Run::Done(1);
    };
    if !matches!(table.as_str(), "hosts" | "ahosts" | "ahostsv4") {
        io.err(format!("not simulated: getent {table}"));
        return Run::Done(1);
    }
    let mut out = Io::new(io.term);
    let mut code = 0;
    for name in names {
        let found = crate::net::lookup(w, &inside.pod, name);
        if found.addresses.is_empty() {
            code = 2;
        }
        let shown = found.found.unwrap_or_else(|| text(name));
        for ip in &found.addresses {
            if table == "hosts" {
                out.line(format!("{ip:<15} {shown}"));
            } else {
                out.line(format!("{ip:<15} STREAM {name}"));
            }
        }
    }
    let after = delay(w, inside);
    later(w, io, after, &mut out, code)
}
