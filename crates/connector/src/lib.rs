//! What any connector may say, and how it is done: the manifest model and its interpreter.
//!
//! A [`Manifest`] is one YAML file about one partner. [`Connector::compile`] checks it whole and turns it into
//! compiled [`Operation`]s, which build requests from a step's input and read the partner's answers. A [`Catalog`]
//! holds connectors by partner; [`builtin`] gives those of the folder `connectors/`.
//!
//! No I/O, no async, no clock.

mod catalog;
mod compile;
mod connector;
mod field;
mod host;
mod manifest;
mod operation;
mod outcome;

pub use catalog::{Catalog, CatalogError, builtin};
pub use connector::{Connector, Partner};
pub use field::{Choice, FaultKind, Field, FieldFault, FieldType};
pub use manifest::{Manifest, ManifestError};
pub use operation::Operation;
pub use outcome::{Action, ErrorClass, Failure, Outcome};
