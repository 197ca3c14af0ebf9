//! What any connector may say, and how it is done: the manifest model and its interpreter.
//!
//! A [`Manifest`] is one YAML file about one partner. [`Connector::compile`] checks it whole and turns it into
//! compiled [`Operation`]s, which build requests from a step's input and read the partner's answers, [`Trigger`]s, which
//! make events of the partner's calls, and [`List`]s, which fields are chosen from. A [`Catalog`] holds connectors by
//! partner; [`builtin`] gives those of the folder `connectors/`.
//!
//! No I/O, no async, no clock.

mod about;
mod budget;
mod call;
mod catalog;
mod compile;
mod connector;
mod field;
mod form;
mod host;
mod lint;
mod list;
mod manifest;
mod operation;
mod outcome;
mod replay;
mod schema;
mod trigger;

pub use budget::{Budget, Rate};
pub use catalog::{Catalog, CatalogError, builtin};
pub use connector::{Connector, Partner};
pub use field::{Choice, FaultKind, Field, FieldFault, FieldType};
pub use form::{CustomFields, RowSection};
pub use lint::warnings;
pub use list::{List, ListItem, ListPage, Page};
pub use manifest::{Manifest, ManifestError, read_text};
pub use operation::Operation;
pub use outcome::{Action, ErrorClass, Failure, Outcome};
pub use replay::{CaseReport, Mismatch, Recording};
pub use schema::json_schema;
pub use trigger::{Fired, Refused, Trigger, Unread, Webhook};
