//! What may be sent to a connection now: permits, a circuit breaker, and the line of runs that wait behind it.
//! Values in, decisions out: time comes as a parameter.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use patchbay_runtime::backoff::Backoff;
use patchbay_types::ConnectionId;
use tokio::sync::Notify;

/// How a connection's gate behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Failures in a row that open the circuit.
    pub(crate) failures: u32,
    /// The first wait of an open circuit.
    pub(crate) wait: Duration,
    /// The longest wait.
    pub(crate) wait_most: Duration,
    /// Calls at once, where the connection has no limit of its own: no connection may take all memory.
    pub(crate) most: u32,
}

/// Calls that a partner takes in a time, whatever their outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) requests: u32,
    pub(crate) per: Duration,
}

/// The answer to a wish to call.
#[derive(Debug)]
pub(crate) enum Admission {
    /// Go ahead; the permit is given back when it is dropped.
    Permit(Permit),
    /// All permits are out: one comes back soon.
    Full,
    /// Wait in the store, for this reason.
    Closed(&'static str),
}

/// What a call told about the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It answers.
    Reachable,
    /// It does not, or says that it can't work now.
    Unreachable,
    /// It asked for a pause.
    Pause(Duration),
}

/// The gates of all connections.
#[derive(Debug)]
pub(crate) struct Gates {
    rules: Rules,
    gates: Mutex<HashMap<ConnectionId, Arc<Gate>>>,
    signals: Arc<Signals>,
}

/// Who waits for a gate to move.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// A permit came back.
    pub(crate) returned: Notify,
    /// Runs that wait in the store may go on.
    pub(crate) line: Notify,
}

/// The gate of one connection.
pub(crate) struct Gate {
    id: ConnectionId,
    rules: Rules,
    state: Mutex<State>,
    signals: Arc<Signals>,
}

#[derive(Debug)]
struct State {
    /// Calls at once; nothing is no limit of its own.
    limit: Option<u32>,
    rate: Option<Rate>,
    /// When permits were given, as far back as the rate looks.
    given: VecDeque<Duration>,
    /// Whether the connection is active.
    usable: bool,
    in_flight: u32,
    /// Runs in the store that wait behind this connection.
    waiting: u64,
    failures: u32,
    circuit: Circuit,
    backoff: Backoff,
    /// Calls at once while the partner recovers: grows with every success.
    ramp: Option<u32>,
    /// No calls before this time since boot.
    paused_until: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Circuit {
    Closed,
    /// No calls before this time since boot.
    Open(Duration),
    /// One call is out to see whether the partner is back.
    Probing,
}

impl Gates {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, gates: Mutex::default(), signals: Arc::default() }
    }

    /// The gate of a connection, made when it is new.
    pub(crate) fn gate(&self, id: ConnectionId) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(id).or_insert_with(|| Arc::new(Gate::new(id, self.rules, Arc::clone(&self.signals))));
        Arc::clone(gate)
    }

    /// All gates.
    pub(crate) fn all(&self) -> Vec<Arc<Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// What moves.
    pub(crate) fn signals(&self) -> &Signals {
        &self.signals
    }
}

impl Gate {
    fn new(id: ConnectionId, rules: Rules, signals: Arc<Signals>) -> Self {
        let state = State {
            limit: None,
            rate: None,
            given: VecDeque::new(),
            usable: true,
            in_flight: 0,
            waiting: 0,
            failures: 0,
            circuit: Circuit::Closed,
            backoff: Backoff::new(rules.wait, rules.wait_most),
            ramp: None,
            paused_until: Duration::ZERO,
        };
        Self { id, rules, state: Mutex::new(state), signals }
    }

    pub(crate) const fn id(&self) -> ConnectionId {
        self.id
    }

    /// Takes over what the connection's owner says of it.
    pub(crate) fn define(&self, usable: bool, limit: Option<u32>, rate: Option<Rate>) {
        let mut state = self.state();
        state.usable = usable;
        state.limit = limit.filter(|limit| *limit > 0);
        state.rate = rate;
        drop(state);
        self.signals.line.notify_one();
    }

    /// A permit for a run that comes by itself: it must not overtake those that wait.
    pub(crate) fn admit(self: &Arc<Self>, now: Duration) -> Admission {
        let mut state = self.state();
        if state.waiting > 0 {
            return Admission::Closed("in line behind earlier runs of this connection");
        }
        match state.room(self.rules, now) {
            Room::Some(_) => {
                state.take(now);
                Admission::Permit(Permit { gate: Arc::clone(self) })
            }
            Room::Full => Admission::Full,
            Room::Closed(reason) => Admission::Closed(reason),
        }
    }

    /// Permits for the first runs in the line, `most` at the most.
    pub(crate) fn admit_waiting(self: &Arc<Self>, now: Duration, most: usize) -> Vec<Permit> {
        let mut state = self.state();
        if state.waiting == 0 {
            return Vec::new();
        }
        let Room::Some(room) = state.room(self.rules, now) else { return Vec::new() };
        let count = usize::try_from(room).unwrap_or(usize::MAX).min(most);
        (0..count)
            .map(|_| {
                state.take(now);
                Permit { gate: Arc::clone(self) }
            })
            .collect()
    }

    /// Counts runs that joined the line.
    pub(crate) fn joined(&self) {
        self.state().waiting += 1;
        self.signals.line.notify_one();
    }

    /// Sets how many wait, as the store counts them.
    pub(crate) fn set_waiting(&self, waiting: u64) {
        self.state().waiting = waiting;
        if waiting > 0 {
            self.signals.line.notify_one();
        }
    }

    /// Counts runs that left the line.
    pub(crate) fn left(&self, count: usize) {
        let mut state = self.state();
        state.waiting = state.waiting.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> u64 {
        self.state().waiting
    }

    /// What a call told.
    pub(crate) fn report(&self, verdict: Verdict, now: Duration) {
        let mut state = self.state();
        match verdict {
            Verdict::Reachable => {
                state.failures = 0;
                if state.circuit != Circuit::Closed {
                    state.circuit = Circuit::Closed;
                    state.backoff.reset();
                    state.ramp = Some(1);
                    tracing::info!(connection = %self.id, "partner answers again, calls resume");
                }
                let most = state.most(self.rules);
                state.ramp = state.ramp.map(|ramp| ramp + 1).filter(|ramp| *ramp < most);
            }
            Verdict::Unreachable => {
                state.failures += 1;
                if state.circuit == Circuit::Probing || state.failures == self.rules.failures {
                    let wait = state.backoff.next_wait();
                    state.circuit = Circuit::Open(now + wait);
                    tracing::warn!(
                        connection = %self.id,
                        failures = state.failures,
                        probe_in_ms = wait.as_millis(),
                        "partner does not answer, calls to it wait"
                    );
                }
            }
            Verdict::Pause(pause) => state.paused_until = state.paused_until.max(now + pause),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Room {
    Some(u32),
    Full,
    Closed(&'static str),
}

impl State {
    fn most(&self, rules: Rules) -> u32 {
        self.limit.unwrap_or(rules.most).min(rules.most)
    }

    /// How many calls the rate still takes. A call counts for the whole time from its permit on, so that no span of that
    /// length ever holds more.
    fn rated(&mut self, now: Duration) -> u32 {
        let Some(rate) = self.rate else { return u32::MAX };
        while self.given.front().is_some_and(|given| *given + rate.per <= now) {
            self.given.pop_front();
        }
        rate.requests.saturating_sub(u32::try_from(self.given.len()).unwrap_or(u32::MAX))
    }

    fn room(&mut self, rules: Rules, now: Duration) -> Room {
        if !self.usable {
            return Room::Closed("connection is not active");
        }
        if now < self.paused_until {
            return Room::Closed("partner asked for a pause");
        }
        let most = match self.circuit {
            Circuit::Open(until) if now < until => return Room::Closed("partner does not answer"),
            Circuit::Probing => return Room::Closed("partner does not answer"),
            Circuit::Open(_) => 1,
            Circuit::Closed => self.most(rules).min(self.ramp.unwrap_or(u32::MAX)),
        };
        let rated = self.rated(now);
        match most.saturating_sub(self.in_flight) {
            _ if rated == 0 => Room::Closed("the calls that the partner takes in this time are used up"),
            // A probe goes out alone even while calls that hang are still counted.
            0 if matches!(self.circuit, Circuit::Open(_)) => Room::Some(1),
            0 => Room::Full,
            room => Room::Some(room.min(rated)),
        }
    }

    fn take(&mut self, now: Duration) {
        self.in_flight += 1;
        if self.rate.is_some() {
            self.given.push_back(now);
        }
        if let Circuit::Open(_) = self.circuit {
            self.circuit = Circuit::Probing;
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gate").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// The right to one call. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.in_flight -= 1;
        // A probe that was not answered at all, because its run was lost, must not keep the gate shut for ever.
        if state.circuit == Circuit::Probing && state.in_flight == 0 {
            state.circuit = Circuit::Open(Duration::ZERO);
        }
        let line = state.waiting > 0;
        drop(state);
        if line {
            self.gate.signals.line.notify_one();
        } else {
            self.gate.signals.returned.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules =
        Rules { failures: 3, wait: Duration::from_secs(1), wait_most: Duration::from_secs(4), most: 100 };

    fn gate() -> Arc<Gate> {
        Gates::new(RULES).gate(ConnectionId::new(1))
    }

    fn permits(gate: &Arc<Gate>, now: Duration) -> Vec<Permit> {
        std::iter::from_fn(|| match gate.admit(now) {
            Admission::Permit(permit) => Some(permit),
            Admission::Full | Admission::Closed(_) => None,
        })
        .collect()
    }

    #[test]
    fn gives_no_more_permits_than_the_limit_and_takes_them_back() {
        let gate = gate();
        gate.define(true, Some(2), None);
        let held = permits(&gate, Duration::ZERO);
        assert_eq!(held.len(), 2);
        assert!(matches!(gate.admit(Duration::ZERO), Admission::Full));
        drop(held);
        assert_eq!(permits(&gate, Duration::ZERO).len(), 2);
    }

    #[test]
    fn newcomers_do_not_overtake_the_line() {
        let gate = gate();
        gate.joined();
        assert!(matches!(gate.admit(Duration::ZERO), Admission::Closed(_)));
        assert_eq!(gate.admit_waiting(Duration::ZERO, 5).len(), 5);
        gate.left(1);
        assert!(matches!(gate.admit(Duration::ZERO), Admission::Permit(_)));
    }

    #[test]
    fn failures_in_a_row_shut_the_gate_until_a_probe_succeeds() {
        let gate = gate();
        for _ in 0..3 {
            gate.report(Verdict::Unreachable, Duration::ZERO);
        }
        assert!(matches!(gate.admit(Duration::from_millis(999)), Admission::Closed(_)));
        let probe = permits(&gate, Duration::from_secs(1));
        assert_eq!(probe.len(), 1);
        gate.report(Verdict::Unreachable, Duration::from_secs(1));
        drop(probe);
        assert!(matches!(gate.admit(Duration::from_secs(2)), Admission::Closed(_)));
        let probe = permits(&gate, Duration::from_secs(3));
        gate.report(Verdict::Reachable, Duration::from_secs(3));
        drop(probe);
        assert_eq!(permits(&gate, Duration::from_secs(3)).len(), 2, "recovery ramps up");
    }

    #[test]
    fn the_ramp_grows_to_the_limit() {
        let gate = gate();
        gate.define(true, Some(8), None);
        for _ in 0..3 {
            gate.report(Verdict::Unreachable, Duration::ZERO);
        }
        for _ in 0..8 {
            gate.report(Verdict::Reachable, Duration::ZERO);
        }
        assert_eq!(permits(&gate, Duration::ZERO).len(), 8);
    }

    #[test]
    fn a_pause_ends_by_itself() {
        let gate = gate();
        gate.report(Verdict::Pause(Duration::from_secs(5)), Duration::ZERO);
        assert!(matches!(gate.admit(Duration::from_secs(4)), Admission::Closed(_)));
        assert!(matches!(gate.admit(Duration::from_secs(5)), Admission::Permit(_)));
    }

    #[test]
    fn an_inactive_connection_takes_no_calls() {
        let gate = gate();
        gate.define(false, None, None);
        assert!(matches!(gate.admit(Duration::ZERO), Admission::Closed("connection is not active")));
    }

    #[test]
    fn no_span_of_time_holds_more_calls_than_the_rate() {
        let gate = gate();
        gate.define(true, None, Some(Rate { requests: 3, per: Duration::from_secs(10) }));
        drop(permits(&gate, Duration::ZERO));
        let at = Duration::from_secs;
        let Admission::Closed(reason) = gate.admit(at(9)) else { panic!("a fourth call") };
        assert_eq!(reason, "the calls that the partner takes in this time are used up");
        assert_eq!(permits(&gate, at(10)).len(), 3);
        gate.joined();
        assert_eq!(gate.admit_waiting(at(19), 5).len(), 0);
        assert_eq!(gate.admit_waiting(at(20), 5).len(), 3);
    }

    #[test]
    fn a_lost_probe_does_not_shut_the_gate_for_ever() {
        let gate = gate();
        for _ in 0..3 {
            gate.report(Verdict::Unreachable, Duration::ZERO);
        }
        drop(permits(&gate, Duration::from_secs(1)));
        assert_eq!(permits(&gate, Duration::from_secs(1)).len(), 1);
    }
}
