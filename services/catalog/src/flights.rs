//! What is asked of partners at this moment: each list once, however many wait for it.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use patchbay_runtime::Tasks;
use patchbay_types::fault::{Code, Fault};
use tokio::{sync::watch, time::Instant};

use crate::domain::{Kept, Place};

/// Lists that may be under way for one connection.
const MOST_OF_ONE: usize = 16;
/// Lists that may be under way for all.
const MOST: usize = 256;

type Landed = Result<Arc<Kept>, Fault>;

/// The lists under way. Cloning shares them.
#[derive(Debug, Clone)]
pub(crate) struct Flights {
    tasks: Tasks,
    under_way: Arc<Mutex<HashMap<Place, watch::Receiver<Option<Landed>>>>>,
}

/// A list that is on its way. It arrives whether somebody waits for it or not.
#[derive(Debug)]
pub(crate) struct Flight(watch::Receiver<Option<Landed>>);

impl Flights {
    pub(crate) fn new(tasks: Tasks) -> Self {
        Self { tasks, under_way: Arc::default() }
    }

    /// The flight to this place, which `fetch` begins unless it is under way already.
    pub(crate) fn board(
        &self,
        place: Place,
        fetch: impl Future<Output = Landed> + Send + 'static,
    ) -> Result<Flight, Fault> {
        let mut under_way = self.under_way();
        if let Some(flight) = under_way.get(&place) {
            return Ok(Flight(flight.clone()));
        }
        let of_one = under_way.keys().filter(|other| other.connection == place.connection).count();
        if of_one >= MOST_OF_ONE || under_way.len() >= MOST {
            let message = "too many lists are being asked for; try again in a few seconds";
            return Err(Fault::new(Code::TooMany, message));
        }
        let (sender, receiver) = watch::channel(None);
        under_way.insert(place.clone(), receiver.clone());
        drop(under_way);
        let flights = self.clone();
        self.tasks.spawn("list of an account", async move {
            let landed = flights.tasks.shutdown().or(fetch).await;
            let landed =
                landed.unwrap_or_else(|| Err(Fault::new(Code::Unavailable, "this process is ending; try again")));
            flights.under_way().remove(&place);
            sender.send_replace(Some(landed));
        });
        Ok(Flight(receiver))
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<Place, watch::Receiver<Option<Landed>>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// What it brings, if it lands in time.
    pub(crate) async fn landed(mut self, deadline: Instant) -> Landed {
        let landing = tokio::time::timeout_at(deadline, self.0.wait_for(Option::is_some));
        let landed = match landing.await {
            Ok(Ok(landed)) => landed.clone(),
            Ok(Err(_)) => None,
            Err(_) => return Err(Fault::new(Code::Timeout, "the partner has not answered yet; try again in a moment")),
        };
        landed.unwrap_or_else(|| Err(Fault::new(Code::Unavailable, "the list was not asked for to the end; try again")))
    }
}
