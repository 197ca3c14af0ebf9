//! What is known of one address.

/// What the last look at an address showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Its health is good.
    Ready,
    /// It is up and lets us in; something that it needs is missing.
    Waiting,
    /// Nobody looked yet.
    Unknown,
    /// Calls would fail there. Said as the end of a sentence that begins with the peer.
    Down(String),
}

impl State {
    /// The order in which addresses are tried.
    pub(crate) const fn rank(&self) -> u8 {
        match self {
            Self::Ready => 0,
            Self::Waiting | Self::Unknown => 1,
            Self::Down(_) => 2,
        }
    }

    pub(crate) const fn is_down(&self) -> bool {
        matches!(self, Self::Down(_))
    }
}

/// What is wrong with a peer at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// A sentence's end that an address can follow: `can't be reached`.
    pub(crate) what: &'static str,
    pub(crate) cause: String,
}

impl Trouble {
    pub(crate) fn new(what: &'static str, cause: impl Into<String>) -> Self {
        Self { what, cause: cause.into() }
    }

    pub(crate) fn unreachable(cause: impl Into<String>) -> Self {
        Self::new("can't be reached", cause)
    }
}
