//! `create configmap`, `create secret`: data from literals and files.

use crate::api::Kind;
use crate::kubectl::args::Args;
use crate::kubectl::files;
use crate::kubectl::io::{Failure, Io, Res, Run};
use crate::kubectl::verbs::change::ended;
use crate::kubectl::verbs::checks;
use crate::kubectl::verbs::generate::{make, name};
use crate::value;
use crate::value::{Map, Str, Value, text};
use crate::world::World;

/// The key and the path of a `--from-file`.
fn source(s: &str) -> Res<(&str, &str)> {
    let why = match s.split_once('=') {
        None => return Ok((s.rsplit('/').next().unwrap_or(s), s)),
        Some((_, path)) if path.contains('=') => {
            "key names or file paths cannot contain '='".to_owned()
        }
        Some(("", path)) => format!("key name for file path {path} missing"),
        Some((key, "")) => format!("file path for key name {key} missing"),
        Some(parts) => return Ok(parts),
    };
    Err(Failure::new(why))
}

/// A file that there must be.
fn read(w: &World, io: &Io, path: &str) -> Res<Str> {
    files::read(w, io, path)
        .ok_or_else(|| Failure::new(format!("error reading {path}: no such file or directory")))
}

/// The files of a folder, each with its name in there.
fn folder(w: &World, path: &str) -> Vec<(Str, Str)> {
    let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    let inside = |name: &Str| match path {
        "." | "" => Some(name.clone()),
        _ => Some(text(name.strip_prefix(path)?.strip_prefix('/')?)),
    };
    let all = w.terminals.files.iter();
    all.filter_map(|(name, t)| Some((inside(name)?, t.clone())))
        .filter(|(name, _)| !name.contains('/'))
        .collect()
}

/// The data of `--from-literal`, `--from-file`, `--from-env-file`, for the ConfigMap of that name
/// or for a Secret.
fn data(w: &World, io: &Io, args: &Args, config_map: Option<&str>) -> Res<Map> {
    if args.given("from-env-file") && (args.given("from-file") || args.given("from-literal")) {
        return Err(Failure::new(
            "from-env-file cannot be combined with from-file or from-literal",
        ));
    }
    let mut map = Map::new();
    let mut add = |key: &str, value| checks::add_key(&mut map, key, value, config_map);
    for from in args.list("from-file") {
        let (key, path) = source(&from)?;
        let files = folder(w, path);
        if files.is_empty() {
            add(key, read(w, io, path)?)?;
        } else if from.contains('=') {
            return Err(Failure::new("cannot give a key name for a directory path"));
        }
        for (key, t) in files {
            add(&key, t)?;
        }
    }
    for pair in args.all("from-literal") {
        let Some((k, v)) = pair.split_once('=').filter(|(k, _)| !k.is_empty()) else {
            return Err(Failure::new(format!("invalid literal source {pair}, expected key=value")));
        };
        add(k, text(v))?;
    }
    for path in args.list("from-env-file") {
        let t = read(w, io, &path)?;
        let lines = t.trim_start_matches('\u{feff}').lines().map(str::trim_start);
        for line in lines.filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (k, v) = line.split_once('=').unwrap_or((line, ""));
            checks::variable_name(k)?;
            add(k, text(v))?;
        }
    }
    Ok(map)
}

/// `kubectl create configmap`.
pub fn config_map(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = name(args, 1).and_then(|n| {
        let data = data(w, io, args, Some(n))?;
        create(w, io, args, Kind::ConfigMap, n, data, None)
    });
    ended(io, result)
}

/// Data as a Secret has it.
fn coded(data: &Map) -> Map {
    let one = |v: &Value| Value::from(crate::base64::encode(v.str().as_bytes()));
    data.iter().map(|(k, v)| (k.clone(), one(v))).collect()
}

/// `kubectl create secret generic`.
pub fn secret(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = name(args, 1).and_then(|n| {
        let data = coded(&data(w, io, args, None)?);
        create(w, io, args, Kind::Secret, n, data, args.get("type"))
    });
    ended(io, result)
}

/// `kubectl create secret tls`, `docker-registry`.
pub fn other_secret(w: &mut World, io: &mut Io, args: &Args) -> Run {
    let result = name(args, 1).and_then(|n| {
        let (data, kind) = if args.verb.ends_with("tls") {
            (certificate(w, io, args)?, "kubernetes.io/tls")
        } else {
            (registry(w, io, args)?, "kubernetes.io/dockerconfigjson")
        };
        create(w, io, args, Kind::Secret, n, coded(&data), Some(kind))
    });
    ended(io, result)
}

fn certificate(w: &World, io: &Io, args: &Args) -> Res<Map> {
    const FILES: [(&str, &str, &str); 2] =
        [("cert", "tls.crt", "certificate"), ("key", "tls.key", "key")];
    if FILES.iter().any(|(flag, ..)| args.text(flag).is_empty()) {
        return Err(Failure::new("key and cert must be specified"));
    }
    let mut data = Map::new();
    for (flag, key, _) in FILES {
        let path = args.text(flag);
        let t = files::read(w, io, path).ok_or_else(|| {
            let why = format!("Cannot read file {path}, open {path}: no such file or directory");
            Failure::new(why)
        })?;
        data.insert(text(key), t);
    }
    for (_, key, what) in FILES {
        if !data.get(key).is_some_and(|t| t.str().contains("-----BEGIN ")) {
            return Err(Failure::new(format!("tls: failed to find any PEM data in {what} input")));
        }
    }
    Ok(data)
}

fn registry(w: &World, io: &Io, args: &Args) -> Res<Map> {
    const KEY: &str = ".dockerconfigjson";
    let mut data = Map::new();
    for from in args.list("from-file") {
        let (key, path) = source(&from)?;
        data.insert(text(if from.contains('=') { key } else { KEY }), read(w, io, path)?);
    }
    if !data.is_empty() {
        return Ok(data);
    }
    let (user, password) = (args.text("docker-username"), args.text("docker-password"));
    let server = args.get("docker-server").unwrap_or("https://index.docker.io/v1/");
    if user.is_empty() || password.is_empty() || server.is_empty() {
        return Err(Failure::new(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
        ));
    }
    let json = |s: &str| Value::from(text(s)).to_string();
    let mail = match args.text("docker-email") {
        "" => String::new(),
        mail => format!("\"email\":{},", json(mail)),
    };
    let auth = crate::base64::encode(format!("{user}:{password}").as_bytes());
    let config = format!(
        "{{\"auths\":{{{}:{{\"username\":{},\"password\":{},{mail}\"auth\":\"{auth}\"}}}}}}",
        json(server),
        json(user),
        json(password)
    );
    data.insert(text(KEY), config);
    Ok(data)
}

/// Creates what has data; with `--append-hash` its name tells what the data are.
fn create(
    w: &mut World,
    io: &mut Io,
    args: &Args,
    kind: Kind,
    n: &str,
    data: Map,
    secret_type: Option<&str>,
) -> Res<i32> {
    let mut named = text(n);
    if args.on("append-hash") {
        let mut whole = value!({
            "data": (data.clone()), "kind": (kind.info().kind), "name": (named.clone())
        });
        if kind == Kind::Secret {
            whole.set("type", text(secret_type.unwrap_or("")));
        }
        named = format!("{n}-{}", hash(&whole.to_string())).into();
    }
    let mut value = value!({"metadata": {"name": named}});
    if !data.is_empty() {
        value.set("data", data);
    }
    if let Some(t) = secret_type {
        value.set("type", text(t));
    }
    let failed = match kind {
        Kind::Secret => "failed to create secret",
        _ => "failed to create configmap:",
    };
    make(w, io, args, kind, value, failed, "created")
}

/// The first ten digits of a text's SHA-256, written so that they make no words.
fn hash(s: &str) -> String {
    let [a, b, ..] = sha256(s.as_bytes());
    let digit = |c| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        c => c,
    };
    format!("{a:08x}{:02x}", b >> 24).chars().map(digit).collect()
}

/// The first 32 bits behind the point of the roots of the first primes.
const fn roots<const N: usize>(cubic: bool) -> [u32; N] {
    let mut out = [0; N];
    let (mut n, mut p) = (0, 2_u128);
    while n < N {
        let mut divisor = 2;
        while p % divisor != 0 {
            divisor += 1;
        }
        if divisor == p {
            let (mut root, mut bit) = (0_u128, 1_u128 << 36);
            while bit > 0 {
                let next = root + bit;
                let fits =
                    if cubic { next * next * next <= p << 96 } else { next * next <= p << 64 };
                if fits {
                    root = next;
                }
                bit >>= 1;
            }
            out[n] = (root & 0xffff_ffff) as u32;
            n += 1;
        }
        p += 1;
    }
    out
}

fn sha256(bytes: &[u8]) -> [u32; 8] {
    const START: [u32; 8] = roots(false);
    const STEPS: [u32; 64] = roots(true);
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize((bytes.len() + 9).next_multiple_of(64) - 8, 0);
    padded.extend((bytes.len() as u64 * 8).to_be_bytes());
    let mut state = START;
    for block in padded.chunks_exact(64) {
        let mut words: Vec<u32> = block
            .chunks_exact(4)
            .map(|c| c.iter().fold(0, |n, b| n << 8 | u32::from(*b)))
            .collect();
        for i in 0..48 {
            let [x, y] = [words[i + 1], words[i + 14]];
            let s0 = x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
            let s1 = y.rotate_right(17) ^ y.rotate_right(19) ^ (y >> 10);
            let sum = words[i].wrapping_add(s0).wrapping_add(words[i + 9]).wrapping_add(s1);
            words.push(sum);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for (word, step) in words.iter().zip(STEPS) {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = (e & f) ^ (!e & g);
            let one =
                h.wrapping_add(s1).wrapping_add(choice).wrapping_add(step).wrapping_add(*word);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let two = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e) = (g, f, e, d.wrapping_add(one));
            (d, c, b, a) = (c, b, a, one.wrapping_add(two));
        }
        for (slot, x) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *slot = slot.wrapping_add(x);
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::sha256;

    #[test]
    fn digests() {
        let hex = |s: &str| sha256(s.as_bytes()).map(|n| format!("{n:08x}")).concat();
        assert_eq!(hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
    }
}
