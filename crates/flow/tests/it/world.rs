//! A small world around the engine: a store, executors that die, a partner, a person.

use std::{collections::VecDeque, time::Duration};

use patchbay_flow::{Answer, Call, Effect, Input, Phase, Record, Run, advance};

use crate::{
    partner::Partner,
    script::{Death, Decision, Reply, Script},
};

/// What an onlooker saw, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// A call left, in whatever process.
    Called(Call),
    /// Its answer arrived.
    Answered(Answer),
    /// The store took this.
    Recorded(Record),
    /// Another process took the run of a dead one.
    TakenOver,
    /// A person let the run go on.
    Released,
}

/// The run as the store has it.
#[derive(Debug, Clone)]
struct Row {
    run: Run,
    epoch: u64,
    owner: Owner,
    due: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// It waits, or is over.
    Nobody,
    /// A process that is alive.
    Living,
    /// A process that is not.
    Dead,
}

/// A process that stood still with an answer in its hands.
#[derive(Debug)]
struct Frozen {
    run: Run,
    epoch: u64,
    answer: Answer,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) script: Script,
    pub(crate) partner: Partner,
    pub(crate) sights: Vec<Sight>,
    now: Duration,
    row: Option<Row>,
    frozen: Vec<Frozen>,
}

/// More turns than the longest script and the waits after it need.
const MOST_TURNS: usize = 400;

impl World {
    pub(crate) const fn new(script: Script) -> Self {
        Self { script, partner: Partner::new(), sights: Vec::new(), now: Duration::ZERO, row: None, frozen: Vec::new() }
    }

    /// Lets everything happen. Returns the run at rest; nothing when it never came to rest.
    pub(crate) fn live(&mut self) -> Option<Run> {
        for _ in 0..MOST_TURNS {
            if !self.turn() {
                return self.row.as_ref().map(|row| row.run.clone());
            }
        }
        None
    }

    /// One thing happens. Returns false when nothing is left to happen.
    fn turn(&mut self) -> bool {
        let Some(row) = self.row.clone() else {
            self.deliver();
            return true;
        };
        if self.script.redeliveries.pop_front().unwrap_or(false) {
            self.deliver();
            return true;
        }
        match (row.owner, row.run.phase) {
            (Owner::Living, _) => panic!("a living process dropped the run: {row:?}\n{:#?}", self.sights),
            (Owner::Dead, _) => self.take_over(),
            (Owner::Nobody, Phase::Running) => panic!("a running run has no owner: {row:?}"),
            (Owner::Nobody, Phase::Waiting | Phase::Behind) => {
                match self.script.decisions.pop_front().flatten() {
                    Some(decision) => self.decide(decision),
                    None => self.wake(),
                }
                true
            }
            (Owner::Nobody, Phase::OutcomeUnknown | Phase::Ended(_)) => match self.script.decisions.pop_front() {
                Some(Some(decision)) => {
                    self.decide(decision);
                    true
                }
                Some(None) => true,
                None => false,
            },
        }
    }

    /// The broker delivers the event: whoever records the run first has it, the other's record is refused.
    fn deliver(&mut self) {
        let permitted = self.permitted();
        let (run, effects) = advance(Run::new(), &self.script.plan, &Input::Claimed { permitted });
        self.perform(run, 1, effects);
    }

    fn take_over(&mut self) -> bool {
        let epoch = self.take();
        self.sights.push(Sight::TakenOver);
        self.thaw();
        if !self.dies() {
            let permitted = self.permitted();
            self.go_on(epoch, &Input::TakenOver { permitted });
        }
        true
    }

    /// A waiting run's time or turn has come.
    fn wake(&mut self) {
        let row = self.row.as_ref().unwrap();
        self.now = row.due.map_or(self.now, |due| self.now.max(due));
        let epoch = self.take();
        if self.dies() {
            return;
        }
        let permitted = self.permitted();
        self.go_on(epoch, &Input::Due { permitted });
    }

    /// A process makes the row its own before it goes on with the run.
    fn take(&mut self) -> u64 {
        let row = self.row.as_mut().unwrap();
        row.owner = Owner::Living;
        row.due = None;
        row.epoch += 1;
        row.epoch
    }

    fn go_on(&mut self, epoch: u64, input: &Input) {
        let run = self.row.as_ref().unwrap().run.clone();
        let (run, effects) = advance(run, &self.script.plan, input);
        self.perform(run, epoch, effects);
    }

    /// A person decides, within one transaction.
    fn decide(&mut self, decision: Decision) {
        let row = self.row.clone().unwrap();
        let input = match decision {
            Decision::Release => Input::Released,
            Decision::Cancel => Input::Cancelled,
        };
        let (run, effects) = advance(row.run, &self.script.plan, &input);
        let [Effect::Record(record)] = effects[..] else {
            assert!(effects.is_empty(), "a decision calls nobody by itself: {effects:?}");
            return;
        };
        if decision == Decision::Release {
            self.sights.push(Sight::Released);
        }
        let epoch = self.take();
        assert!(self.record(&run, epoch, record));
    }

    /// Performs effects in order, as a process does, until the run leaves its hands or it dies.
    fn perform(&mut self, run: Run, epoch: u64, effects: Vec<Effect>) {
        let mut run = run;
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            if self.dies() {
                return;
            }
            match effect {
                Effect::Record(record) => {
                    if !self.record(&run, epoch, record) {
                        return;
                    }
                }
                Effect::Call(call) => {
                    assert!(effects.is_empty(), "nothing is decided before the answer");
                    let Some(answer) = self.call(&run, epoch, call) else { return };
                    let permitted = answer == Answer::Done && self.permitted();
                    let next;
                    (run, next) = advance(run, &self.script.plan, &Input::Answered { answer, permitted });
                    effects = next.into();
                }
            }
        }
    }

    /// Calls the partner. Nothing comes back when the process dies before it can act on the answer.
    fn call(&mut self, run: &Run, epoch: u64, call: Call) -> Option<Answer> {
        self.sights.push(Sight::Called(call));
        let reply = self.script.replies.pop_front().unwrap_or(Reply::Done);
        let repeat = self.script.plan.steps[call.step].repeat;
        let answer = self.partner.take(call, repeat, reply);
        match self.script.deaths.pop_front().flatten() {
            None => {
                self.sights.push(Sight::Answered(answer));
                Some(answer)
            }
            Some(death) => {
                self.bury();
                if death == Death::Freeze {
                    self.frozen.push(Frozen { run: run.clone(), epoch, answer });
                }
                None
            }
        }
    }

    /// Processes that stood still go on, after another has taken their run: the store must refuse them.
    fn thaw(&mut self) {
        for Frozen { run, epoch, answer } in std::mem::take(&mut self.frozen) {
            let input = Input::Answered { answer, permitted: true };
            let (_, effects) = advance(run, &self.script.plan, &input);
            assert!(matches!(effects.first(), Some(Effect::Record(_))), "a record comes first: {effects:?}");
            assert!(self.row.as_ref().unwrap().epoch > epoch, "a frozen process lost its run");
        }
    }

    /// Writes where the run stands, when the writer still owns it.
    fn record(&mut self, run: &Run, epoch: u64, record: Record) -> bool {
        let mine = match &self.row {
            None => record == Record::Opened,
            Some(row) => record != Record::Opened && row.epoch == epoch,
        };
        if !mine {
            return false;
        }
        let due = match record {
            Record::Wait { delay } => Some(self.now + delay),
            _ => None,
        };
        let owner = if run.phase == Phase::Running { Owner::Living } else { Owner::Nobody };
        self.row = Some(Row { run: run.clone(), epoch, owner, due });
        self.sights.push(Sight::Recorded(record));
        true
    }

    /// Whether the process dies here.
    fn dies(&mut self) -> bool {
        let dies = self.script.deaths.pop_front().flatten().is_some();
        if dies {
            self.bury();
        }
        dies
    }

    fn bury(&mut self) {
        if let Some(row) = self.row.as_mut().filter(|row| row.owner == Owner::Living) {
            row.owner = Owner::Dead;
        }
    }

    fn permitted(&mut self) -> bool {
        self.script.permits.pop_front().unwrap_or(true)
    }
}
