//! Lists of accounts: kept ones while they are good, else asked from the partner.

use std::{sync::Arc, time::Duration};

use patchbay_runtime::Clock;
use patchbay_types::fault::{Code, Fault};
use tokio::time::Instant;

use crate::{
    asking::Asker,
    domain::{Account, Inputs, Kept, Question},
    flights::{Flight, Flights},
    store::Store,
    telemetry::{self, Telemetry, store_failed},
};

/// How much longer than the partner the caller waits, so that it learns why the partner did not answer.
const GRACE: Duration = Duration::from_secs(1);

/// The lists of all accounts.
#[derive(Debug)]
pub(crate) struct Lists {
    pub(crate) store: Store,
    pub(crate) asker: Asker,
    pub(crate) flights: Flights,
    pub(crate) clock: Clock,
    pub(crate) telemetry: Arc<Telemetry>,
    /// How long a list is fresh.
    pub(crate) keep: Duration,
}

impl Lists {
    /// Until when a caller that begins now waits for lists.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.asker.timeout + GRACE
    }

    /// The list as it is kept; the partner is asked when there is none, or beside it when it is no longer fresh.
    pub(crate) async fn get(self: &Arc<Self>, question: Question, deadline: Instant) -> Result<Arc<Kept>, Fault> {
        let kept = self.store.list(&question.place()).await.map_err(|error| store_failed(&error))?;
        let Some(kept) = kept else { return self.renew(question, deadline).await };
        if self.clock.now().since(kept.fetched_at) >= self.keep {
            // Nobody waits for it, and whoever comes next tries again.
            let _ = self.depart(question);
        }
        Ok(Arc::new(kept))
    }

    /// The list as the partner has it now.
    pub(crate) async fn renew(self: &Arc<Self>, question: Question, deadline: Instant) -> Result<Arc<Kept>, Fault> {
        if Instant::now() >= deadline {
            return Err(Fault::new(Code::Timeout, "there was no time left to ask for this list; try again"));
        }
        self.depart(question)?.landed(deadline).await
    }

    /// The lists that were asked of an account before, each with its inputs.
    pub(crate) async fn asked(&self, account: &Account) -> Result<Vec<(String, Inputs)>, Fault> {
        self.store.asked(account).await.map_err(|error| store_failed(&error))
    }

    fn depart(self: &Arc<Self>, question: Question) -> Result<Flight, Fault> {
        let lists = Arc::clone(self);
        self.flights.board(question.place(), async move { lists.fetch(&question).await })
    }

    async fn fetch(&self, question: &Question) -> Result<Arc<Kept>, Fault> {
        let (connection, list) = (question.account.connection, question.list.name());
        let gathered = match self.asker.ask(question).await {
            Ok(gathered) => gathered,
            Err(fault) => {
                self.telemetry.list_failed(connection, list, &fault);
                return Err(fault);
            }
        };
        self.telemetry.list_asked(connection, list, gathered.entries.len());
        let kept = Kept { entries: gathered.entries, truncated: gathered.truncated, fetched_at: self.clock.now() };
        if let Err(error) = self.store.save(question, &kept).await {
            telemetry::list_not_kept(connection, list, &error);
        }
        Ok(Arc::new(kept))
    }
}
