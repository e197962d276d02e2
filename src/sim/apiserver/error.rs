//! Errors as the API server answers them (`metav1.Status`), behaviour/validation.md 1 and 2.

use std::fmt::Write as _;

use crate::api::Kind;
use crate::value::Str;

/// Why a request was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// 400
    BadRequest,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 405
    MethodNotAllowed,
    /// 409, the name is taken.
    AlreadyExists,
    /// 409, another version than expected.
    Conflict,
    /// 422
    Invalid,
    /// 429
    TooManyRequests,
    /// 500
    InternalError,
    /// 500, without a reason.
    Unknown,
}

/// One wrong field of a 422, or another cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// Path of the field, `spec.replicas`.
    pub field: Str,
    /// `Invalid value: -1: must be greater than or equal to 0`.
    pub message: Str,
}

/// A refused request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Why.
    pub reason: Reason,
    /// The server's message.
    pub message: Str,
    /// Kind of the object, if it is about one.
    pub kind: Option<Kind>,
    /// Name of the object.
    pub name: Str,
    /// Details of a 422 or 429.
    pub causes: Vec<Cause>,
}

impl Status {
    /// An error without details.
    pub fn new(reason: Reason, message: impl Into<Str>) -> Self {
        Self {
            reason,
            message: message.into(),
            kind: None,
            name: Str::default(),
            causes: Vec::new(),
        }
    }

    fn about(reason: Reason, kind: Kind, name: &str, message: String) -> Self {
        let name = crate::value::text(name);
        Self { reason, message: message.into(), kind: Some(kind), name, causes: Vec::new() }
    }

    /// `pods "web-9" not found`.
    pub fn not_found(kind: Kind, name: &str) -> Self {
        Self::about(
            Reason::NotFound,
            kind,
            name,
            format!("{} \"{name}\" not found", kind.resource()),
        )
    }

    /// `statefulsets.apps "web" already exists`.
    pub fn already_exists(kind: Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.resource());
        Self::about(Reason::AlreadyExists, kind, name, message)
    }

    /// The object was changed by somebody else.
    pub fn conflict(kind: Kind, name: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; please apply your changes to the latest version and try again",
            kind.resource()
        );
        Self::about(Reason::Conflict, kind, name, message)
    }

    /// `pods "x" is forbidden: why`.
    pub fn forbidden(kind: Kind, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", kind.resource());
        Self::about(Reason::Forbidden, kind, name, message)
    }

    /// 422 with its wrong fields: `StatefulSet.apps "web" is invalid: [a, b]`.
    pub fn invalid(kind: Kind, name: &str, causes: Vec<Cause>) -> Self {
        let info = kind.info();
        let mut message = String::from(info.kind);
        if !info.group.is_empty() {
            message.push('.');
            message.push_str(info.group);
        }
        let mut lines: Vec<String> = Vec::new();
        for c in &causes {
            let line = format!("{}: {}", c.field, c.message);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let _ = write!(message, " \"{name}\" is invalid: ");
        match lines.as_slice() {
            [one] => message.push_str(one),
            many => {
                let _ = write!(message, "[{}]", many.join(", "));
            }
        }
        let mut status = Self::about(Reason::Invalid, kind, name, message);
        status.causes = causes;
        status
    }

    /// 422 about a patch, which is shown as Go prints a text.
    pub fn bad_patch(patch: &str, why: &str) -> Self {
        let message = format!("Invalid value: {patch:?}: {why}");
        let mut status = Self::new(Reason::Invalid, format!(" \"\" is invalid: patch: {message}"));
        status.causes = vec![Cause { field: "patch".into(), message: message.into() }];
        status
    }

    /// HTTP status code.
    pub fn code(&self) -> u16 {
        match self.reason {
            Reason::BadRequest => 400,
            Reason::Forbidden => 403,
            Reason::NotFound => 404,
            Reason::MethodNotAllowed => 405,
            Reason::AlreadyExists | Reason::Conflict => 409,
            Reason::Invalid => 422,
            Reason::TooManyRequests => 429,
            Reason::InternalError | Reason::Unknown => 500,
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Status {}
