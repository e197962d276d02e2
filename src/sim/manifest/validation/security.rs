//! Security contexts of pods and containers. Nothing in them is acted on here, but a real
//! server looks at them.

use super::{Errors, diff, quoted, volume};
use crate::value::Value;

const PROFILES: &[&str] = &["Localhost", "RuntimeDefault", "Unconfined"];

fn ids(e: &mut Errors, at: &str, sc: &Value, keys: &[&str]) {
    for key in keys {
        let detail = "must be between 0 and 4294967295, inclusive";
        e.range(format!("{at}.{key}"), sc.get(key), 0, 0xffff_ffff, detail);
    }
}

fn seccomp(e: &mut Errors, at: &str, p: &Value) {
    if p.is_null() {
        return;
    }
    let (kind, local) = (p["type"].str(), &p["localhostProfile"]);
    if kind.is_empty() {
        e.required(format!("{at}.type"), "type is required when seccompProfile is set");
    } else {
        e.one_of(format!("{at}.type"), &p["type"], PROFILES);
    }
    let field = format!("{at}.localhostProfile");
    match (kind, local.as_str()) {
        ("Localhost", None) => e.required(field, "must be set when seccomp type is Localhost"),
        ("Localhost", Some(path)) => volume::descending(e, &field, path),
        (_, Some(path)) => e.invalid(
            field,
            format!("{{\"Type\":{},\"LocalhostProfile\":{}}}", quoted(kind), quoted(path)),
            "can only be set when seccomp type is Localhost",
        ),
        (_, None) => {}
    }
}

fn app_armor(e: &mut Errors, at: &str, p: &Value) {
    if p.is_null() {
        return;
    }
    let field = format!("{at}.localhostProfile");
    match (p["type"].str(), p["localhostProfile"].as_str()) {
        ("Localhost", None | Some("")) => {
            e.required(field, "must be set when AppArmor type is Localhost");
        }
        ("Localhost", Some(name)) if name.trim() != name => {
            e.invalid(field, quoted(name), "must not be padded with whitespace");
        }
        ("Localhost", _) | ("RuntimeDefault" | "Unconfined", None) => {}
        ("RuntimeDefault" | "Unconfined", Some(name)) => {
            e.invalid(field, quoted(name), "can only be set when AppArmor type is Localhost");
        }
        ("", _) => e.required(format!("{at}.type"), "type is required when appArmorProfile is set"),
        (other, _) => e.unsupported(format!("{at}.type"), other, PROFILES),
    }
}

/// A pod's; `spec` has the settings about the node's namespaces beside it.
pub(super) fn pod(e: &mut Errors, at: &str, spec: &Value) {
    let sc = &spec["securityContext"];
    ids(e, at, sc, &["fsGroup", "runAsUser", "runAsGroup"]);
    for (i, g) in sc["supplementalGroups"].items().iter().enumerate() {
        let detail = "must be between 0 and 4294967295, inclusive";
        e.range(format!("{at}.supplementalGroups[{i}]"), g, 0, 0xffff_ffff, detail);
    }
    if spec["shareProcessNamespace"].is_true() && spec["hostPID"].is_true() {
        e.invalid(
            format!("{at}.shareProcessNamespace"),
            "true",
            "ShareProcessNamespace and HostPID cannot both be enabled",
        );
    }
    let mut seen: Vec<&str> = Vec::new();
    for (i, s) in sc["sysctls"].items().iter().enumerate() {
        let (field, name) = (format!("{at}.sysctls[{i}].name"), s["name"].str());
        let good = |part: &str| {
            let b = part.as_bytes();
            let word = |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit();
            b.first().is_some_and(word)
                && b.last().is_some_and(word)
                && b.iter().all(|c| word(c) || b"-_".contains(c))
        };
        if name.is_empty() {
            e.required(field, "");
        } else if name.len() > 253 || !name.split(['.', '/']).all(good) {
            e.invalid(field, quoted(name), r"must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
        } else if seen.contains(&name) {
            e.duplicate(field, &quoted(name));
        }
        seen.push(name);
    }
    let policy = &sc["fsGroupChangePolicy"];
    e.one_of(format!("{at}.fsGroupChangePolicy"), policy, &["Always", "OnRootMismatch"]);
    seccomp(e, &format!("{at}.seccompProfile"), &sc["seccompProfile"]);
    app_armor(e, &format!("{at}.appArmorProfile"), &sc["appArmorProfile"]);
    let policy = &sc["supplementalGroupsPolicy"];
    e.one_of(format!("{at}.supplementalGroupsPolicy"), policy, &["Merge", "Strict"]);
    let policy = &sc["seLinuxChangePolicy"];
    e.one_of(format!("{at}.seLinuxChangePolicy"), policy, &["MountOption", "Recursive"]);
}

/// A container's.
pub(super) fn container(e: &mut Errors, at: &str, sc: &Value, host_users: bool) {
    ids(e, at, sc, &["runAsUser", "runAsGroup"]);
    let mount = &sc["procMount"];
    e.one_of(format!("{at}.procMount"), mount, &["Default", "Unmasked"]);
    if host_users && mount.str() == "Unmasked" {
        e.invalid(
            format!("{at}.procMount"),
            quoted("Unmasked"),
            "`hostUsers` must be false to use `Unmasked`",
        );
    }
    seccomp(e, &format!("{at}.seccompProfile"), &sc["seccompProfile"]);
    if sc["allowPrivilegeEscalation"].as_bool() == Some(false) {
        let conflict = "cannot set `allowPrivilegeEscalation` to false and ";
        if sc["privileged"].is_true() {
            e.invalid(
                at,
                diff::compact("SecurityContext", sc),
                format!("{conflict}`privileged` to true"),
            );
        }
        for _ in sc["capabilities"]["add"].items().iter().filter(|c| c.str() == "CAP_SYS_ADMIN") {
            e.invalid(
                at,
                diff::compact("SecurityContext", sc),
                format!("{conflict}`capabilities.Add` CAP_SYS_ADMIN"),
            );
        }
    }
    app_armor(e, &format!("{at}.appArmorProfile"), &sc["appArmorProfile"]);
}
