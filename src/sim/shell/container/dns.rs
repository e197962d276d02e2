//! nslookup, dig, host, getent, ping (behaviour/services-and-dns.md 5 to 7).

use super::{Inside, Tools, later};
use crate::config::Delay;
use crate::kubectl::io::{Io, Run};
use crate::net::dns::{self, Answer, Rcode, Rr, Type};
use crate::net::resolver::{self, SERVER};
use crate::value::Str;
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

/// `nslookup [-type=T] NAME`.
pub fn nslookup(w: &mut World, io: &mut Io, inside: &Inside, args: &[String]) -> Run {
    let mut rtype = None;
    let mut name = None;
    for a in args {
        let option = a
            .strip_prefix("-type=")
            .or_else(|| a.strip_prefix("-query="))
            .or_else(|| a.strip_prefix("-q="));
        if let Some(t) = option {
            rtype = record_type(t);
        } else if !a.starts_with('-') && name.is_none() {
            name = Some(a.as_str());
        }
    }
    let Some(name) = name else {
        io.err("not simulated: nslookup without a name");
        return Run::Done(1);
    };
    let mut out = Io::new(io.term);
    let code = match inside.tools() {
        Tools::BusyBoxOld => old_busybox(w, &mut out, inside, name),
        Tools::BusyBox => busybox(w, &mut out, inside, name, rtype),
        Tools::Gnu => bind(w, &mut out, inside, name, rtype),
    };
    let after = delay(w, inside);
    later(w, io, after, &mut out, code)
}

fn reverse(w: &World, ip: &str) -> String {
    dns::names_of(w, ip).into_iter().next().unwrap_or_default()
}

/// BusyBox 1.28: the C library looks up, the names of the addresses stand behind them.
fn old_busybox(w: &mut World, out: &mut Io, inside: &Inside, name: &str) -> i32 {
    let line = |n: usize, ip: &str, back: &str| {
        let label = format!("Address {n}:");
        format!("{label:<10} {ip} {back}").trim_end().to_owned()
    };
    out.line(format!("{:<10} {SERVER}", "Server:"));
    out.line(line(1, SERVER, "kube-dns.kube-system.svc.cluster.local"));
    out.line("");
    let addresses: Vec<Str> = if is_address(name) {
        vec![crate::value::text(name)]
    } else {
        crate::net::lookup(w, &inside.pod, name).addresses
    };
    if addresses.is_empty() {
        out.err(format!("nslookup: can't resolve '{name}'"));
        return 1;
    }
    out.line(format!("{:<10} {name}", "Name:"));
    for (i, ip) in addresses.iter().enumerate() {
        let back = reverse(w, ip);
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
        Type::Soa => format!("{}\torigin = {}", rr.name, rr.data),
    }
}

/// BusyBox from 1.29 on: A, then AAAA of each name of the search list, all answers printed; a
/// name with a dot is not expanded.
fn busybox(w: &mut World, out: &mut Io, inside: &Inside, name: &str, rtype: Option<Type>) -> i32 {
    out.line(format!("Server:\t\t{SERVER}"));
    out.line(format!("Address:\t{SERVER}:53"));
    out.line("");
    let Some(pod) = w.store.by_key(&inside.pod).cloned() else { return 1 };
    let (names, types) = if is_address(name) {
        (vec![arpa(name)], vec![Type::Ptr])
    } else {
        let names = if name.contains('.') {
            vec![name.trim_end_matches('.').to_owned()]
        } else {
            resolver::search(&pod).iter().map(|s| format!("{name}.{s}")).collect()
        };
        (names, rtype.map_or_else(|| vec![Type::A, Type::Aaaa], |t| vec![t]))
    };
    // the question travels on the stage too
    let _ = crate::net::lookup(w, &inside.pod, name);
    let mut code = 0;
    // all questions of one type are sent before those of the next
    for t in &types {
        for name in &names {
            let answer = dns::query(w, name, *t);
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
fn expanded(w: &mut World, inside: &Inside, name: &str, t: Type) -> Option<Answer> {
    let pod = w.store.by_key(&inside.pod)?.clone();
    for candidate in resolver::candidates(&pod, name) {
        let answer = dns::query(w, &candidate, t);
        if answer.rcode == Rcode::NoError && !answer.records.is_empty() {
            return Some(answer);
        }
    }
    None
}

/// Is there such a name, though without a record of that type?
fn exists(w: &mut World, inside: &Inside, name: &str, t: Type) -> bool {
    let Some(pod) = w.store.by_key(&inside.pod).cloned() else { return false };
    resolver::candidates(&pod, name).iter().any(|c| dns::query(w, c, t).rcode == Rcode::NoError)
}

/// BIND's nslookup.
fn bind(w: &mut World, out: &mut Io, inside: &Inside, name: &str, rtype: Option<Type>) -> i32 {
    out.line(format!("Server:\t\t{SERVER}"));
    out.line(format!("Address:\t{SERVER}#53"));
    out.line("");
    let answer = if is_address(name) {
        let answer = dns::query(w, &arpa(name), Type::Ptr);
        (answer.rcode == Rcode::NoError && !answer.records.is_empty()).then_some(answer)
    } else {
        let _ = crate::net::lookup(w, &inside.pod, name);
        expanded(w, inside, name, rtype.unwrap_or(Type::A))
    };
    match answer {
        Some(answer) => {
            if !answer.authoritative {
                out.line("Non-authoritative answer:");
            }
            for rr in &answer.records {
                let dot = if matches!(rr.rtype, Type::Srv | Type::Ptr) { "." } else { "" };
                out.line(format!("{}{dot}", data(rr)));
            }
            out.line("");
            0
        }
        None => {
            let shown = if is_address(name) { arpa(name) } else { name.to_owned() };
            if exists(w, inside, name, rtype.unwrap_or(Type::A)) {
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
    }
}

/// Data as dig prints it: names end in a dot.
fn dig_data(rr: &Rr) -> String {
    match rr.rtype {
        Type::Srv | Type::Ptr | Type::Cname => format!("{}.", rr.data),
        _ => rr.data.to_string(),
    }
}

/// `dig [+short] [+search] [-t T] NAME [T]`.
pub fn dig(w: &mut World, io: &mut Io, inside: &Inside, args: &[String]) -> Run {
    let (mut short, mut search, mut rtype, mut name) = (false, false, Type::A, None);
    let (mut all, mut answers) = (true, false);
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
            a if a.starts_with('+') || a.starts_with('@') || a.starts_with('-') => {}
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
    let mut answer = dns::query(w, &name, rtype);
    if search && let Some(pod) = w.store.by_key(&inside.pod).cloned() {
        for candidate in resolver::candidates(&pod, &typed) {
            answer = dns::query(w, &candidate, rtype);
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
        full(w, &mut out, &args.join(" "), &name, rtype, &answer);
    }
    let after = delay(w, inside);
    later(w, io, after, &mut out, 0)
}

fn row(rr: &Rr) -> String {
    format!("{}.\t{}\tIN\t{}\t{}", rr.name, rr.ttl, type_name(rr.rtype), dig_data(rr))
}

fn full(w: &World, out: &mut Io, typed: &str, name: &str, rtype: Type, answer: &Answer) {
    let gone = answer.rcode == Rcode::NxDomain;
    let empty = answer.records.is_empty();
    let status = if gone { "NXDOMAIN" } else { "NOERROR" };
    let aa = if answer.authoritative { " aa" } else { "" };
    let id = w.log.len() % 65_536;
    out.line(format!("\n; <<>> DiG 9.18.28 <<>> {typed}"));
    out.line(";; global options: +cmd\n;; Got answer:");
    out.line(format!(";; ->>HEADER<<- opcode: QUERY, status: {status}, id: {id}"));
    out.line(format!(
        ";; flags: qr{aa} rd; QUERY: 1, ANSWER: {}, AUTHORITY: {}, ADDITIONAL: {}",
        answer.records.len(),
        u8::from(empty),
        answer.additional.len() + 1
    ));
    out.line(";; WARNING: recursion requested but not available\n");
    out.line(";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232");
    out.line(format!(";; QUESTION SECTION:\n;{name}.\t\tIN\t{}\n", type_name(rtype)));
    if empty {
        out.line(format!(
            ";; AUTHORITY SECTION:\ncluster.local.\t\t{}\tIN\tSOA\tns.dns.cluster.local. hostmaster.cluster.local. {} 7200 1800 86400 30\n",
            dns::TTL,
            crate::api::time::EPOCH
        ));
    } else {
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
        ";; Query time: 1 msec\n;; SERVER: {SERVER}#53({SERVER}) (UDP)\n;; WHEN: {}\n;; MSG SIZE  rcvd: {}\n",
        when,
        64 + answer.records.len() * 56
    ));
}

/// `host NAME`.
pub fn host(w: &mut World, io: &mut Io, inside: &Inside, args: &[String]) -> Run {
    let Some(name) = args.iter().find(|a| !a.starts_with('-')).cloned() else {
        io.err("not simulated: host without a name");
        return Run::Done(1);
    };
    let mut out = Io::new(io.term);
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
        let shown = found.found.unwrap_or_else(|| crate::value::text(name));
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
