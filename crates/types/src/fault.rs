//! The closed set of faults that cross a service's border, and the one place that maps them.

use std::fmt;

/// What went wrong, as a program may decide on it. The names are stable: REST shows them as `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request itself is wrong; sending it again can't help.
    InvalidArgument,
    /// No valid token or password came with it.
    Unauthenticated,
    /// Known, but not allowed to.
    Forbidden,
    /// There is no such thing, or not in this workspace.
    NotFound,
    /// It clashes with what is there, such as a name that is taken.
    Conflict,
    /// The thing is not in the state that this needs.
    FailedPrecondition,
    /// Too many requests or too much of something.
    TooMany,
    /// The body or field is larger than allowed.
    TooLarge,
    /// The body's media type is not taken here.
    UnsupportedMedia,
    /// No room on disk: nothing was accepted.
    StorageFull,
    /// A part that this needs can't be reached now.
    Unavailable,
    /// It took longer than allowed.
    Timeout,
    /// A defect of ours.
    Internal,
}

impl Code {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 13] = [
        Self::InvalidArgument,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::FailedPrecondition,
        Self::TooMany,
        Self::TooLarge,
        Self::UnsupportedMedia,
        Self::StorageFull,
        Self::Unavailable,
        Self::Timeout,
        Self::Internal,
    ];

    /// The stable name, as in REST's `code` and gRPC's `ErrorInfo.reason`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid_argument",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::FailedPrecondition => "failed_precondition",
            Self::TooMany => "too_many",
            Self::TooLarge => "too_large",
            Self::UnsupportedMedia => "unsupported_media",
            Self::StorageFull => "storage_full",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
        }
    }

    /// The code with this stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    /// The HTTP status.
    #[must_use]
    pub const fn http(self) -> u16 {
        match self {
            Self::InvalidArgument => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::FailedPrecondition => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMedia => 415,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::Timeout => 504,
            Self::StorageFull => 507,
        }
    }

    /// The gRPC status code's number (<https://grpc.io/docs/guides/status-codes/>).
    #[must_use]
    pub const fn grpc(self) -> i32 {
        match self {
            Self::InvalidArgument | Self::UnsupportedMedia => 3,
            Self::Timeout => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
            Self::Forbidden => 7,
            Self::TooMany | Self::StorageFull | Self::TooLarge => 8,
            Self::FailedPrecondition => 9,
            Self::Internal => 13,
            Self::Unavailable => 14,
            Self::Unauthenticated => 16,
        }
    }

    /// The nearest code for a gRPC status from a peer that named no code of ours.
    #[must_use]
    pub const fn from_grpc(number: i32) -> Self {
        match number {
            3 | 11 => Self::InvalidArgument,
            1 | 4 => Self::Timeout,
            5 => Self::NotFound,
            6 | 10 => Self::Conflict,
            7 => Self::Forbidden,
            8 => Self::TooMany,
            9 => Self::FailedPrecondition,
            14 => Self::Unavailable,
            16 => Self::Unauthenticated,
            _ => Self::Internal,
        }
    }

    /// Whether the same request may succeed later without anybody changing anything.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self, Self::TooMany | Self::StorageFull | Self::Unavailable | Self::Timeout)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A fault as it crosses a border: what the caller is told. What the operator needs is logged where it happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What a program may decide on.
    pub code: Code,
    /// What a person reads: what happened, why, what to do next. Never a secret.
    pub message: String,
    /// The field of the request at fault, as a path like `steps[0].input.email`.
    pub field: Option<String>,
}

impl Fault {
    /// A fault with its message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None }
    }

    /// The same fault, naming the field that is wrong.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// There is no such `thing` (a noun with its id) in this workspace.
    #[must_use]
    pub fn not_found(thing: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("{thing} does not exist in this workspace"))
    }

    /// The request is wrong.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_name() {
        for code in Code::ALL {
            assert_eq!(Code::from_name(code.name()), Some(code));
        }
    }

    #[test]
    fn statuses_are_errors() {
        for code in Code::ALL {
            assert!((400..600).contains(&code.http()), "{code}");
            assert!((1..=16).contains(&code.grpc()), "{code}");
        }
    }

    #[test]
    fn only_what_time_can_heal_is_retryable() {
        let retryable: Vec<_> = Code::ALL.into_iter().filter(|code| code.retryable()).collect();
        assert_eq!(retryable, [Code::TooMany, Code::StorageFull, Code::Unavailable, Code::Timeout]);
    }
}
