//! Image names, sizes, and which images can be pulled (behaviour/pod-lifecycle.md 5).

/// The full reference of an image: registry, repository and tag.
pub fn canonical(image: &str) -> String {
    let (name, digest) = image.split_once('@').map_or((image, ""), |(n, d)| (n, d));
    let first = name.split('/').next().unwrap_or("");
    let has_registry =
        name.contains('/') && (first.contains('.') || first.contains(':') || first == "localhost");
    let mut full = if has_registry {
        name.to_owned()
    } else if name.contains('/') {
        format!("docker.io/{name}")
    } else {
        format!("docker.io/library/{name}")
    };
    let tagged = full.rsplit('/').next().unwrap_or("").contains(':');
    if !digest.is_empty() {
        full.push('@');
        full.push_str(digest);
    } else if !tagged {
        full.push_str(":latest");
    }
    full
}

/// What is wrong with an image's name, if something is: `couldn't parse image name …`.
pub fn invalid(image: &str) -> Option<String> {
    let (name, digest) = image.split_once('@').map_or((image, None), |(n, d)| (n, Some(d)));
    let at = name.rfind('/').map_or(0, |i| i + 1);
    let (repository, tag) = match name.get(at..).and_then(|last| last.split_once(':')) {
        Some((last, tag)) => (format!("{}{last}", name.get(..at).unwrap_or("")), Some(tag)),
        None => (name.to_owned(), None),
    };
    let first = repository.split('/').next().unwrap_or("");
    let registry = repository.contains('/')
        && (first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first);
    let path = if registry {
        repository.split_once('/').map_or("", |(_, path)| path).to_owned()
    } else if repository.contains('/') {
        repository
    } else {
        format!("library/{repository}")
    };
    let separated = |c: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        c.starts_with(plain)
            && c.ends_with(plain)
            && c.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-'))
            && !["..", "._", "_.", "___", "-.", ".-", "-_", "_-"].iter().any(|s| c.contains(s))
    };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let good_tag = tag.is_none_or(|t| {
        t.starts_with(word) && t.len() <= 128 && t.chars().all(|c| word(c) || ".-".contains(c))
    });
    let good_digest = digest.is_none_or(|d| {
        d.split_once(':').is_some_and(|(algorithm, hex)| {
            !algorithm.is_empty() && hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
        })
    });
    let why = if path.to_lowercase() != path {
        format!(": repository name ({path}) must be lowercase")
    } else if path.split('/').all(separated) && good_tag && good_digest {
        return None;
    } else {
        String::new()
    };
    Some(format!("couldn't parse image name {image:?}: invalid reference format{why}"))
}

/// Last part of the repository, without tag: `nginx-slim`.
pub fn base(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split(':').next().unwrap_or(last)
}

/// Size in bytes that a pull reports.
pub fn size(image: &str) -> u64 {
    const KNOWN: &[(&str, u64)] = &[
        ("nginx", 72_324_501),
        ("nginx-slim", 21_000_000),
        ("busybox", 2_223_659),
        ("mysql", 240_138_112),
        ("redis", 52_431_900),
        ("httpd", 45_196_371),
        ("alpine", 3_653_068),
        ("pause", 320_448),
    ];
    KNOWN.iter().find(|(n, _)| *n == base(image)).map_or_else(
        || 5_000_000 + crate::rng::Stream::new(0, &["size", image]).range(0, 90_000_000),
        |(_, s)| *s,
    )
}

/// Images of Docker's library and the newest version that they may have, with room for what is
/// still to come.
const VERSIONS: &[(&str, [u32; 2])] = &[
    ("nginx", [1, 49]),
    ("busybox", [1, 49]),
    ("alpine", [3, 49]),
    ("httpd", [2, 9]),
    ("redis", [9, 49]),
];
/// Their tags that are no versions begin so.
const TAGS: &str = "latest stable mainline alpine perl otel slim edge musl glibc uclibc unstable trixie bookworm bullseye buster stretch jessie";

/// Is it a tag that a well-known image has not: `nginx:1.161`?
fn no_such_tag(image: &str) -> bool {
    let full = canonical(image);
    let Some((name, tag)) = full.strip_prefix("docker.io/library/").and_then(|n| n.split_once(':'))
    else {
        return false;
    };
    let Some((_, newest)) = VERSIONS.iter().find(|(n, _)| *n == name) else { return false };
    let first = tag.split('-').next().unwrap_or(tag);
    if !first.starts_with(|c: char| c.is_ascii_digit()) {
        return !TAGS.split(' ').any(|t| first.starts_with(t));
    }
    let mut numbers = first.split('.').map(|n| n.parse().unwrap_or(u32::MAX));
    let version = [numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)];
    // a large number is a date
    version[0] < 1_000_000 && version > *newest
}

/// Reason and text of the runtime's error, if the image cannot be pulled.
pub fn pull_error(image: &str, recording: bool) -> Option<String> {
    if !image.contains("broken") && (recording || !no_such_tag(image)) {
        return None;
    }
    let full = if recording { image.to_owned() } else { canonical(image) };
    let why = if recording {
        String::new()
    } else {
        format!("failed to resolve reference \"{full}\": {full}: ")
    };
    Some(format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{full}\": {why}not found"
    ))
}

/// `imagePullPolicy`, defaulted where the manifest left it out.
pub fn always_pull(container: &crate::value::Value) -> bool {
    match container["imagePullPolicy"].str() {
        "Always" => true,
        "" => {
            let full = canonical(container["image"].str());
            full.ends_with(":latest")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_are_none() {
        for bad in
            ["nginx:1.161", "nginx:1.91", "nginx:v1.27", "docker.io/library/redis:70", "busybox:x"]
        {
            assert!(pull_error(bad, false).is_some(), "{bad}");
        }
        for good in [
            "nginx",
            "nginx:1",
            "nginx:1.14.2",
            "nginx:1.27-alpine",
            "nginx:stable",
            "me/nginx:x",
            "nginx:alpine3.20",
            "busybox:1.28",
            "redis:7.2-bookworm",
            "httpd:2.4",
            "mine:x",
            "nginx@sha256:0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(pull_error(good, false), None, "{good}");
        }
    }

    #[test]
    fn names_that_are_none() {
        for good in [
            "nginx",
            "nginx:1.27",
            "registry.k8s.io/nginx-slim:0.24",
            "localhost:5000/a/b__c:V1_x.y-z",
            "Registry.example/a",
            "gcr.io/google-samples/xtrabackup@sha256:0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(invalid(good), None, "{good}");
        }
        let lower = "couldn't parse image name \"UPPER:case\": invalid reference format: repository name (library/UPPER) must be lowercase";
        assert_eq!(invalid("UPPER:case").as_deref(), Some(lower));
        for bad in ["nginx:", "nginx:-1", "a//b", "-a", "a..b", "nginx@sha256:12", "ng inx", ":1"] {
            let why = format!("couldn't parse image name {bad:?}: invalid reference format");
            assert_eq!(invalid(bad), Some(why), "{bad}");
        }
    }
}
