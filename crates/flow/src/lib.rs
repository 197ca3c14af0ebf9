//! The automation engine and the expression language.
//!
//! No I/O, no async, no clock.

mod engine;
pub mod expression;
mod plan;

pub use engine::{Answer, Call, DeadReason, Effect, End, Input, Next, Phase, Record, Run, advance};
pub use plan::{Plan, Repeat, Retry, StepPlan};
