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

/// Reason and text of the runtime's error, if the image cannot be pulled.
pub fn pull_error(image: &str, recording: bool) -> Option<String> {
    if !image.contains("broken") {
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
