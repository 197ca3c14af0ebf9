//! The task that publishes: it alone has the channel of the publishing connection.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use lapin::options::ConfirmSelectOptions;
use patchbay_runtime::backoff::Backoff;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::fault::{Fault, words_of};
use super::flight::{Flight, Spoiled};
use super::link::{Plan, State, Up};
use super::request::{Pending, Request, Told};
use crate::PublishError;

/// Requests taken from the queue at once.
const AT_ONCE: usize = 256;

/// Why publishing does not work although the connection does, for health.
pub(super) type Problem = Arc<Mutex<Option<String>>>;

/// See above.
pub(super) struct Sender {
    plan: Arc<Plan>,
    link: watch::Receiver<State>,
    requests: mpsc::Receiver<Request>,
    problem: Problem,
    /// Taken, and not sent yet.
    waiting: VecDeque<Request>,
    /// Sent, by number.
    pending: BTreeMap<u64, Pending>,
    next: u64,
    flight: Option<Flight>,
    backoff: Backoff,
    /// Before it no channel is opened.
    open_at: Instant,
    /// Whether something may be missing.
    declare_first: bool,
    /// Whether the broker did not confirm in time, and nothing since.
    is_silent: bool,
}

impl Sender {
    pub(super) fn new(
        plan: Arc<Plan>,
        link: watch::Receiver<State>,
        requests: mpsc::Receiver<Request>,
        problem: Problem,
    ) -> Self {
        let backoff = plan.backoff();
        Self {
            plan,
            link,
            requests,
            problem,
            waiting: VecDeque::new(),
            pending: BTreeMap::new(),
            next: 0,
            flight: None,
            backoff,
            open_at: Instant::now(),
            declare_first: false,
            is_silent: false,
        }
    }

    /// Runs until nobody can send requests any more and all are answered.
    pub(super) async fn run(mut self) {
        let mut taken = Vec::new();
        let mut open = true;
        while open || !self.waiting.is_empty() || self.pending.values().any(Pending::is_waiting) {
            self.connect().await;
            self.send();
            let wake_at = self.wake_at();
            let rung = self.flight.as_ref().map(Flight::rung);
            let rung = async {
                match rung {
                    Some(rung) => rung.await,
                    None => pending().await,
                }
            };
            let alarm = async {
                match wake_at {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                count = self.requests.recv_many(&mut taken, AT_ONCE), if open => open = count > 0,
                () = rung => {}
                // When the link is gone, the deadlines end everything.
                Ok(()) = self.link.changed() => self.open_at = Instant::now(),
                () = alarm => {}
            }
            self.waiting.extend(taken.drain(..));
            self.look();
            self.expire();
        }
    }

    /// Opens a channel when there is none.
    async fn connect(&mut self) {
        if self.flight.as_ref().is_some_and(|flight| !flight.is_open()) {
            self.look();
        }
        if self.flight.as_ref().is_some_and(|flight| !flight.is_open()) {
            self.give_up("the channel ended".into());
        }
        if self.flight.is_some() || self.open_at > Instant::now() {
            return;
        }
        let Some(Up { connection, .. }) = self.up().filter(|up| up.connection.status().connected()) else { return };
        if self.declare_first {
            if let Err(fault) = self.plan.declare(&connection).await {
                return self.not_opened(fault.words());
            }
            self.declare_first = false;
        }
        let opening = async {
            let channel = connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok::<_, lapin::Error>(channel)
        };
        match timeout(self.plan.options.connect_timeout, opening).await {
            Ok(Ok(channel)) => {
                self.flight = Some(Flight::new(channel));
                self.is_silent = false;
                self.say(None);
            }
            Ok(Err(error)) => self.not_opened(words_of(&error)),
            Err(_) => self.not_opened("it opens no channel".into()),
        }
    }

    fn not_opened(&mut self, why: String) {
        tracing::warn!(why, "no channel to publish on");
        self.say(Some(why));
        self.open_at = Instant::now() + self.backoff.next_wait();
    }

    /// Sends what waits, when the broker takes it. What it has not got it has certainly not accepted.
    fn send(&mut self) {
        if self.up().is_none_or(|up| up.blocked.is_some() || up.connection.status().blocked()) {
            return;
        }
        let Some(flight) = &mut self.flight else { return };
        let now = Instant::now();
        for request in self.waiting.drain(..) {
            let (pending, messages) = Pending::begin(request);
            let number = self.next;
            self.next += 1;
            self.pending.insert(number, pending);
            for message in messages {
                flight.send(number, message, now);
            }
        }
    }

    /// Answers what the broker told of.
    fn look(&mut self) {
        let Some(flight) = &mut self.flight else { return };
        let mut ended = flight.look();
        if let Some(spoiled) = ended.spoiled {
            let why = self.words(&spoiled);
            for (_, told) in &mut ended.told {
                // A message that came back may look confirmed.
                if matches!(spoiled, Spoiled::Returned { .. }) || matches!(told, Told::Nothing(_)) {
                    *told = Told::Nothing(why.clone());
                }
            }
            self.note(ended.told);
            self.give_up(why);
            return;
        }
        if !ended.told.is_empty() {
            self.backoff.reset();
            if std::mem::take(&mut self.is_silent) {
                self.say(None);
            }
            self.note(ended.told);
        }
    }

    fn note(&mut self, told: Vec<(u64, Told)>) {
        for (number, told) in told {
            if self.pending.get_mut(&number).is_some_and(|pending| pending.note(told)) {
                self.pending.remove(&number);
            }
        }
    }

    fn words(&self, spoiled: &Spoiled) -> String {
        match spoiled {
            Spoiled::Returned { exchange, routing_key, why } => {
                let to = if exchange.is_empty() { routing_key } else { exchange };
                format!("no queue took a message for {to} ({why})")
            }
            Spoiled::Failed(error) => Fault::of_using(error, &self.plan.address, "write", "an exchange").words(),
        }
    }

    /// The channel is of no use any more: nothing that is on its way on it is confirmed.
    fn give_up(&mut self, why: String) {
        tracing::warn!(why, "publishing begins anew");
        for (_, mut pending) in std::mem::take(&mut self.pending) {
            pending.end(Err(PublishError::Unavailable(why.clone())));
        }
        // Dropped, the channel is closed.
        self.flight = None;
        self.open_at = Instant::now() + self.backoff.next_wait();
        if self.up().is_some_and(|up| up.connection.status().connected()) {
            self.declare_first = true;
            self.say(Some(why));
        }
    }

    /// Ends the requests whose time is over.
    fn expire(&mut self) {
        let now = Instant::now();
        let problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (down, blocked) = match &*self.link.borrow() {
            State::Down(why) => (Some(why.to_string()), None),
            State::Connecting => (None, None),
            State::Up(up) => (problem, up.blocked.clone()),
        };
        let in_time = |deadline: Instant| down.is_none() && now < deadline;
        while self.waiting.front().is_some_and(|request| !in_time(request.deadline)) {
            let Some(request) = self.waiting.pop_front() else { break };
            let error = match (&down, &blocked) {
                (Some(why), _) => PublishError::Unavailable(why.clone()),
                (None, Some(why)) => PublishError::Full(format!("blocked by the broker: {why}")),
                (None, None) => PublishError::Unavailable("it is connecting".into()),
            };
            Pending::begin(request).0.end(Err(error));
        }
        let mut is_silent = false;
        for pending in self.pending.values_mut().take_while(|pending| pending.deadline <= now) {
            is_silent |= pending.is_waiting() && blocked.is_none();
            let why = blocked
                .as_ref()
                .map_or_else(|| "it did not confirm in time".into(), |why| format!("blocked by the broker: {why}"));
            pending.end(Err(PublishError::Unavailable(why)));
        }
        if is_silent && !self.is_silent {
            // Others need not wait as long to be told.
            self.is_silent = true;
            self.say(Some("does not confirm what is published".into()));
        }
        // What is never confirmed takes room for ever. While the broker blocks, it has no chance to confirm.
        let patience = 2 * self.plan.options.confirm_timeout;
        let oldest = self.flight.as_ref().and_then(Flight::oldest);
        if blocked.is_none() && oldest.is_some_and(|at| at + patience <= now) {
            tracing::warn!("the broker confirms nothing, publishing begins anew");
            self.pending.clear();
            self.flight = None;
        }
    }

    /// When something expires at the latest, or a channel is to be opened.
    fn wake_at(&self) -> Option<Instant> {
        let waiting = self.waiting.front().map(|request| request.deadline);
        let pending = self.pending.values().find(|pending| pending.is_waiting()).map(|pending| pending.deadline);
        let up = self.up();
        let oldest = self.flight.as_ref().filter(|_| up.as_ref().is_none_or(|up| up.blocked.is_none()));
        let oldest = oldest.and_then(Flight::oldest).map(|at| at + 2 * self.plan.options.confirm_timeout);
        let open =
            (self.flight.is_none() && up.is_some_and(|up| up.connection.status().connected())).then_some(self.open_at);
        [waiting, pending, oldest, open].into_iter().flatten().min()
    }

    fn up(&self) -> Option<Up> {
        match &*self.link.borrow() {
            State::Up(up) => Some(up.clone()),
            State::Connecting | State::Down(_) => None,
        }
    }

    fn say(&self, problem: Option<String>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }
}
