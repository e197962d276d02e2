//! The hash of a pod template, in the names of ReplicaSets: the real one.
//!
//! Kubernetes hashes (FNV-1a, 32 bit) a dump of the Go struct with every field's name and type,
//! set or not. So the order of the fields and the names of the types of Kubernetes 1.36 are part
//! of the hash; [`go`] lists them.

use std::fmt::Write as _;

use crate::api::quantity;
use crate::schema::go;
use crate::value::Value;

/// Hash of a template; `collisions` counts in if the Deployment has any.
pub(super) fn of(template: &Value, collisions: Option<i64>) -> String {
    const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut out = String::with_capacity(8192);
    out.push_str("(v1.PodTemplateSpec)");
    structure(&mut out, "PodTemplateSpec", template);
    let mut h: u32 = 0x811c_9dc5;
    let mut add = |b: u8| h = (h ^ u32::from(b)).wrapping_mul(0x0100_0193);
    out.bytes().for_each(&mut add);
    if let Some(n) = collisions {
        // eight bytes, of which Kubernetes fills four
        let bytes = (n as u32).to_le_bytes();
        bytes.into_iter().chain([0; 4]).for_each(add);
    }
    h.to_string().bytes().map(|b| char::from(SAFE[usize::from(b) % SAFE.len()])).collect()
}

fn structure(out: &mut String, name: &str, v: &Value) {
    out.push('{');
    for (i, field) in go::fields(name).enumerate() {
        if i > 0 {
            out.push(' ');
        }
        out.push_str(field.name);
        out.push(':');
        match field.kind.strip_prefix('<') {
            Some(inner) => typed(out, inner, v),
            None => typed(out, field.kind, v.get(&field.json)),
        }
    }
    out.push('}');
}

/// Name of a type in Go.
fn go_type(kind: &str) -> String {
    match kind {
        "s" => "string".to_owned(),
        "b" => "bool".to_owned(),
        "i" => "int32".to_owned(),
        "l" => "int64".to_owned(),
        "m" => "map[string]string".to_owned(),
        "R" => "v1.ResourceList".to_owned(),
        "Q" => "resource.Quantity".to_owned(),
        "P" => "intstr.IntOrString".to_owned(),
        "T" => "v1.Time".to_owned(),
        "~UID" => "types.UID".to_owned(),
        _ => match (kind.strip_prefix('*'), kind.strip_prefix('[')) {
            (Some(inner), _) => format!("*{}", go_type(inner)),
            (_, Some(inner)) => format!("[]{}", go_type(inner)),
            _ => format!("v1.{}", kind.trim_start_matches('~')),
        },
    }
}

fn typed(out: &mut String, kind: &str, v: &Value) {
    out.push('(');
    out.push_str(&go_type(kind));
    out.push(')');
    untyped(out, kind, v);
}

fn untyped(out: &mut String, kind: &str, v: &Value) {
    if let Some(inner) = kind.strip_prefix('*') {
        if v.is_null() {
            out.push_str("<nil>");
        } else {
            untyped(out, inner, v);
        }
        return;
    }
    if let Some(inner) = kind.strip_prefix('[') {
        return list(out, v, '[', v.items().iter(), |out, item| untyped(out, inner, item));
    }
    match kind {
        "s" => out.push_str(v.str()),
        "b" => out.push_str(if v.is_true() { "true" } else { "false" }),
        "i" | "l" => out.push_str(&v.int_or(0).to_string()),
        "m" => pairs(out, v, |out, v| out.push_str(v.str())),
        "R" => pairs(out, v, quantity_of),
        "Q" => quantity_of(out, v),
        "P" => {
            let (kind, number) = match v.as_int() {
                Some(n) => (0, n),
                None => (i32::from(!v.is_null()), 0),
            };
            let _ = write!(
                out,
                "{{Type:(intstr.Type){kind} IntVal:(int32){number} StrVal:(string){}}}",
                v.str()
            );
        }
        // only the times of a template's metadata, which are never set
        "T" => out
            .push_str("{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"),
        _ if kind.starts_with('~') => out.push_str(v.str()),
        _ => structure(out, kind, v),
    }
}

fn list<T>(
    out: &mut String,
    v: &Value,
    open: char,
    items: impl Iterator<Item = T>,
    mut each: impl FnMut(&mut String, T),
) {
    if v.is_empty() {
        return out.push_str("<nil>");
    }
    out.push(open);
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(' ');
        }
        each(out, item);
    }
    out.push(']');
}

fn pairs(out: &mut String, v: &Value, each: impl Fn(&mut String, &Value)) {
    if !v.is_empty() {
        out.push_str("map");
    }
    list(out, v, '[', v.pairs(), |out, (k, v)| {
        out.push_str(k);
        out.push(':');
        each(out, v);
    });
}

/// A quantity as Go holds it after parsing: a number and a power of ten, or for binary suffixes
/// the whole number of units. The text is kept with it where the parser sees at a glance that it
/// is canonical.
fn quantity_of(out: &mut String, v: &Value) {
    let text = match v {
        Value::Int(n) => n.to_string(),
        v => v.str().to_owned(),
    };
    let number = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number = number.split(['e', 'E']).next().unwrap_or_default();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    let units: i128 = digits.parse().unwrap_or(0);
    let suffix = text.strip_prefix(number).unwrap_or_default();
    let (value, scale, format, canonical);
    if suffix.ends_with('i') {
        (value, scale, format) = (quantity::milli(&text).unwrap_or(0) / 1000, 0, "BinarySI");
        canonical = units & 7 != 0;
    } else {
        let exponent = suffix.strip_prefix(['e', 'E']).and_then(|e| e.parse().ok());
        let power = exponent.unwrap_or(match suffix {
            "n" => -9,
            "u" => -6,
            "m" => -3,
            "k" => 3,
            "M" => 6,
            "G" => 9,
            "T" => 12,
            "P" => 15,
            "E" => 18,
            _ => 0,
        });
        (value, scale) = (units, power - fraction.len() as i64);
        format = match exponent {
            _ if text.is_empty() => "",
            Some(_) => "DecimalExponent",
            None => "DecimalSI",
        };
        canonical = scale % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0');
    }
    let text = if canonical { text.as_str() } else { "" };
    let _ = write!(
        out,
        "{{i:(resource.int64Amount){{value:(int64){value} scale:(resource.Scale){scale}}} d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} s:(string){text} Format:(resource.Format){format}}}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn template(app: &'static str, container: Value) -> Value {
        value!({
            "metadata": {"labels": {"app": app}},
            "spec": {
                "containers": [container], "dnsPolicy": "ClusterFirst",
                "restartPolicy": "Always", "schedulerName": "default-scheduler",
                "securityContext": {}, "terminationGracePeriodSeconds": 30
            }
        })
    }

    /// Names of ReplicaSets in the recordings 20-deployment-contrast and m7.
    #[test]
    fn hashes_of_the_recorded_clusters() {
        let container = |image: &'static str| {
            value!({
                "image": image, "imagePullPolicy": "IfNotPresent", "name": "app",
                "resources": {}, "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File"
            })
        };
        let one = template("app", container("registry.k8s.io/nginx-slim:0.24"));
        let two = template("app", container("registry.k8s.io/nginx-slim:0.25"));
        assert_eq!(of(&one, None), "84b56fd876");
        assert_eq!(of(&two, None), "7856df75f7");
        let web = |image: &'static str| {
            let mut c = container(image);
            c.set("name", "nginx");
            template("nginx", c)
        };
        assert_eq!(of(&web("registry.k8s.io/nginx-slim:0.24"), None), "76c6f6bdf6");
        assert_eq!(of(&web("registry.k8s.io/nginx-slim:0.25"), None), "6869bbd6f7");
    }

    #[test]
    fn quantities_as_go_holds_them() {
        let dump = |text: &'static str| {
            let mut out = String::new();
            quantity_of(&mut out, &text.into());
            out
        };
        for (text, value, scale, kept, format) in [
            ("250m", "250", -3, "250m", "DecimalSI"),
            ("1", "1", 0, "1", "DecimalSI"),
            ("0", "0", 0, "", "DecimalSI"),
            ("100Mi", "104857600", 0, "100Mi", "BinarySI"),
            ("64Mi", "67108864", 0, "", "BinarySI"),
            ("1e3", "1", 3, "1e3", "DecimalExponent"),
        ] {
            let want = format!("{{value:(int64){value} scale:(resource.Scale){scale}}}");
            let rest = format!("s:(string){kept} Format:(resource.Format){format}}}");
            let found = dump(text);
            assert!(found.contains(&want) && found.ends_with(&rest), "{found}");
        }
    }
}
