//! From the broker to claimed runs: a batch of events, one transaction, then the acknowledgement.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use patchbay_broker::{Consumer, Delivery};
use patchbay_proto::{Topic, event::v1::TriggerFired};
use patchbay_runtime::backoff::Backoff;
use patchbay_types::{ConnectionId, SourceId, Timestamp};
use prost::Message as _;

use crate::{
    claim::{Candidate, Share, candidate, claim, first_connection},
    definitions::Listener,
    event::EventData,
    executor::Executor,
    gate::Admission,
    rows::DeadRow,
};

/// How often room for all runs of one event is looked for.
const ROOM_LOOK: Duration = Duration::from_millis(5);
/// How long events are held while nobody can be asked what they start.
const HOLD_UNDECIDED: Duration = Duration::from_secs(5);
/// Events in one claim.
const BATCH: usize = 256;

/// Takes events from the broker for as long as the process accepts work.
#[derive(Debug)]
pub(crate) struct Intake {
    executor: Arc<Executor>,
    /// Nothing while events are left to others.
    consumer: Option<Box<dyn Consumer>>,
    /// Deliveries for which there was no room yet.
    backlog: VecDeque<Delivery>,
    /// Runs that wait a moment for a permit, oldest first.
    patient: VecDeque<Patient>,
}

#[derive(Debug)]
struct Patient {
    candidate: Candidate,
    connection: ConnectionId,
    until: Duration,
}

impl Intake {
    pub(crate) fn new(executor: Arc<Executor>, consumer: Box<dyn Consumer>) -> Self {
        Self { executor, consumer: Some(consumer), backlog: VecDeque::new(), patient: VecDeque::new() }
    }

    /// Works until the shutdown begins. What was not claimed by then goes back to the broker.
    pub(crate) async fn run(mut self) {
        let shutdown = self.executor.tasks.shutdown().clone();
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
        while !shutdown.has_begun() {
            match shutdown.or(self.wait()).await {
                None => return,
                Some(Err(error)) => {
                    tracing::warn!(%error, "events can't be read, trying again");
                    shutdown.or(tokio::time::sleep(backoff.next_wait())).await;
                    continue;
                }
                Some(Ok(())) => {}
            }
            // Whoever owns the definitions must be asked after the events are there: an event accepted after a
            // publish then meets the published version.
            if self.executor.definitions.refresh().await.is_err() {
                self.leave_to_others();
                shutdown.or(tokio::time::sleep(backoff.next_wait())).await;
                continue;
            }
            backoff.reset();
            let mut claims = self.admit_patient();
            while let Some(delivery) = self.backlog.pop_front() {
                if let Err(delivery) = self.consider(delivery, &mut claims).await {
                    self.backlog.push_front(delivery);
                    break;
                }
            }
            if !claims.is_empty() {
                claim(&self.executor, claims).await;
            } else if !self.backlog.is_empty() {
                // There is room for one run, but not for all that this event starts.
                shutdown.or(tokio::time::sleep(ROOM_LOOK)).await;
            }
        }
    }

    /// Gives back what it holds when it could not decide about it for long: another executor may know better. It takes
    /// events again when it can decide about them.
    fn leave_to_others(&mut self) {
        let too_long = self.executor.definitions.trouble().is_some_and(|(length, _)| length > HOLD_UNDECIDED);
        if too_long && self.consumer.take().is_some() {
            tracing::warn!("events are left to other executors until definitions can be read");
            self.backlog.clear();
            self.patient.clear();
        }
    }

    /// Returns when there is something to do.
    async fn wait(&mut self) -> Result<(), patchbay_broker::Error> {
        if self.consumer.is_none() {
            if self.executor.definitions.trouble().is_some() {
                return Ok(());
            }
            let prefetch = self.executor.config.in_flight;
            self.consumer = Some(self.executor.broker.subscribe(Topic::TriggerFired, prefetch).await?);
        }
        let Some(consumer) = self.consumer.as_mut() else { return Ok(()) };
        if self.executor.is_short_of_disk() {
            tokio::time::sleep(self.executor.config.poll).await;
            return Ok(());
        }
        let executor = Arc::clone(&self.executor);
        let now = executor.clock.since_boot();
        let patience = self.patient.front().map(|patient| patient.until.saturating_sub(now));
        let signals = executor.gates.signals();
        tokio::select! {
            deliveries = next(&executor, consumer, self.backlog.front()) => self.backlog.extend(deliveries?),
            () = signals.returned.notified(), if patience.is_some() => {}
            () = tokio::time::sleep(patience.unwrap_or_default()), if patience.is_some() => {}
        }
        Ok(())
    }

    /// Those that waited a moment: with a permit now, or in line in the store when their patience is over.
    fn admit_patient(&mut self) -> Vec<Candidate> {
        let now = self.executor.clock.since_boot();
        let mut admitted = Vec::new();
        let mut full: Vec<ConnectionId> = Vec::new();
        for mut patient in std::mem::take(&mut self.patient) {
            if full.contains(&patient.connection) && now < patient.until {
                self.patient.push_back(patient);
                continue;
            }
            match self.executor.gates.gate(patient.connection).admit(now) {
                Admission::Permit(permit) => patient.candidate.permit = Some(permit),
                Admission::Closed(reason) => patient.candidate.reason = Some(reason),
                Admission::Full if now < patient.until => {
                    full.push(patient.connection);
                    self.patient.push_back(patient);
                    continue;
                }
                Admission::Full => patient.candidate.reason = Some("all calls of its connection are under way"),
            }
            admitted.push(patient.candidate);
        }
        admitted
    }

    /// Turns a delivery into runs to claim. Gives it back when there is no room for them.
    async fn consider(&mut self, delivery: Delivery, claims: &mut Vec<Candidate>) -> Result<(), Delivery> {
        let executor = Arc::clone(&self.executor);
        let event = match decode(&delivery) {
            Ok(event) => event,
            Err((reason, error)) => {
                bury(&executor, delivery, None, reason, error).await;
                return Ok(());
            }
        };
        let (event, source) = event;
        let accepted_at = Timestamp::from_micros(event.accepted_at);
        if executor.now().since(accepted_at) > executor.retention.dedupe() {
            let error = format!("accepted at {accepted_at}, longer ago than ids of events are remembered");
            bury(&executor, delivery, Some(&event), "too_old", error).await;
            return Ok(());
        }
        let listeners = executor.definitions.listeners(source);
        if listeners.is_empty() {
            executor.telemetry.discarded("no_automation");
        }
        let data = EventData { payload: event.payload.clone(), meta: event.meta.clone() };
        let wanted: Vec<Listener> =
            listeners.into_iter().filter(|listener| wants(&executor, listener, &data)).collect();
        if wanted.is_empty() {
            delivery.acknowledge();
            return Ok(());
        }
        let most = executor.slots.most();
        if wanted.len() > most {
            let error = format!("{} automations take it, and executor.in_flight is {most}; raise it", wanted.len());
            bury(&executor, delivery, Some(&event), "too_many_automations", error).await;
            return Ok(());
        }
        let bytes = delivery.message.payload.len();
        let Some(slots) = executor.slots.take(wanted.len(), bytes) else { return Err(delivery) };
        let packed = data.pack();
        let share = Share::new(delivery, slots.len());
        for (listener, slot) in wanted.into_iter().zip(slots) {
            let candidate = candidate(&executor, &event, listener, &data, packed.clone(), slot, &share);
            self.admit(candidate, claims);
        }
        Ok(())
    }

    /// Sorts a candidate: with a permit, in line in the store, or patient for a moment.
    fn admit(&mut self, mut candidate: Candidate, claims: &mut Vec<Candidate>) {
        let Some(connection) = first_connection(&candidate.compiled) else {
            claims.push(candidate);
            return;
        };
        let now = self.executor.clock.since_boot();
        match self.executor.gates.gate(connection).admit(now) {
            Admission::Permit(permit) => candidate.permit = Some(permit),
            Admission::Closed(reason) => candidate.reason = Some(reason),
            Admission::Full => {
                // Those that wait hold slots, so they are bounded; and not for long, so that other connections go on.
                let until = now + self.executor.config.permit_patience;
                self.patient.push_back(Patient { candidate, connection, until });
                return;
            }
        }
        claims.push(candidate);
    }
}

/// The next deliveries, as many as there is room for; returns without any when the room that the backlog waits for is there.
async fn next(
    executor: &Executor,
    consumer: &mut Box<dyn Consumer>,
    waiting: Option<&Delivery>,
) -> Result<Vec<Delivery>, patchbay_broker::Error> {
    let room = executor.slots.room(waiting.map_or(1, |delivery| delivery.message.payload.len())).await;
    if waiting.is_some() {
        return Ok(Vec::new());
    }
    consumer.next_batch(room.min(BATCH)).await
}

fn decode(delivery: &Delivery) -> Result<(TriggerFired, SourceId), (&'static str, String)> {
    let event = TriggerFired::decode(delivery.message.payload.clone());
    let event = event.map_err(|error| ("undecodable", error.to_string()))?;
    let source = SourceId::from_slice(&event.source_id).map_err(|error| ("undecodable", error.to_string()))?;
    Ok((event, source))
}

/// Whether an automation takes an event. An event that none takes is counted.
fn wants(executor: &Executor, listener: &Listener, data: &EventData) -> bool {
    if !listener.active {
        executor.telemetry.discarded("paused");
        return false;
    }
    let Ok(automation) = &listener.compiled else { return true };
    let Some(filter) = &automation.filter else { return true };
    let verdict = data
        .scope(automation.uses_meta, executor.now())
        .and_then(|scope| filter.is_true(&scope).map_err(|error| error.to_string()));
    match verdict {
        Ok(true) => true,
        Ok(false) => {
            executor.telemetry.discarded("trigger_filter");
            false
        }
        // The run is begun, so that a broken filter loses nothing: its owner sees the run.
        Err(error) => {
            tracing::warn!(automation = %automation.id, %error, "trigger filter can't be evaluated, the event is taken");
            true
        }
    }
}

/// Keeps a delivery that can't become a run, and acknowledges it when that is durable.
async fn bury(
    executor: &Executor,
    delivery: Delivery,
    event: Option<&TriggerFired>,
    reason: &'static str,
    error: String,
) {
    tracing::warn!(reason, %error, "event becomes a dead letter");
    let row = DeadRow {
        workspace: event.map_or(0, |event| event.workspace_id),
        kind: "event",
        reason: reason.to_owned(),
        error,
        run: None,
        source: event.map(|event| event.source_id.to_vec()),
        event_id: event.map(|event| event.event_id.replace('\0', "")).unwrap_or_default(),
        original: Some(delivery.message.payload.to_vec()),
        at: executor.now(),
    };
    executor.telemetry.dead_letters.inc();
    if executor.writer.bury(row).await {
        delivery.acknowledge();
    }
}
