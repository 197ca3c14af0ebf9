//! Who a token belongs to, remembered for a second so that few requests cost a query.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use patchbay_runtime::Clock;
use patchbay_types::Timestamp;

use crate::{Error, domain::Session, store::Store, token::TokenDigest};

/// How long a token that was withdrawn may still be good, in this process and in others.
const REMEMBERED: Duration = Duration::from_secs(1);
const MOST: usize = 10_000;

/// The valid tokens that were seen lately.
#[derive(Debug)]
pub(crate) struct Sessions {
    store: Store,
    clock: Clock,
    seen: Mutex<HashMap<TokenDigest, (Session, Timestamp)>>,
}

impl Sessions {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, seen: Mutex::default() }
    }

    /// The session of a token that is valid now.
    pub(crate) async fn find(&self, digest: TokenDigest) -> Result<Option<Session>, Error> {
        let now = self.clock.now();
        if let Some(session) = self.remembered(&digest, now) {
            return Ok(Some(session));
        }
        let Some(session) = self.store.session(&digest).await? else { return Ok(None) };
        if session.expires_at <= now {
            return Ok(None);
        }
        self.remember(digest, session, now);
        Ok(Some(session))
    }

    fn remembered(&self, digest: &TokenDigest, now: Timestamp) -> Option<Session> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (session, until) = seen.get(digest)?;
        (now < *until && now < session.expires_at).then_some(*session)
    }

    fn remember(&self, digest: TokenDigest, session: Session, now: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.retain(|_, (_, until)| now < *until);
        }
        if seen.len() < MOST {
            seen.insert(digest, (session, now.after(REMEMBERED)));
        }
    }
}
