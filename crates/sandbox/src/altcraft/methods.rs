//! The methods of the API by their paths, each with the right that it needs.

use patchbay_types::Timestamp;

use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::parameters::Parameters;
use crate::altcraft::token::Right;
use crate::altcraft::{Altcraft, goals, lists, profiles, segments, subscribing, triggers, workflows};

pub(crate) type Handler = fn(&mut Altcraft, Parameters, Timestamp) -> Result<Success, Refusal>;

/// The method at a path below `/api/v1.1/`.
pub(crate) fn find(path: &str) -> Option<(Right, Handler)> {
    let method: (Right, Handler) = match path {
        "databases/list" => (Right::Read, lists::databases),
        "databases/get" => (Right::Read, lists::database),
        "databases/fields_get" => (Right::Read, lists::database_fields),
        "resources/list" => (Right::Read, lists::resources),
        "resources/get" => (Right::Read, lists::resource),
        "resources/fields_get" => (Right::Read, lists::resource_fields),
        "segments/list" => (Right::Read, lists::segments),
        "workflows/list" => (Right::Read, lists::workflows),
        "campaigns/triggers/list" => (Right::Read, lists::triggers),
        "campaigns/triggers/get" => (Right::Read, triggers::get),
        "profiles/get" => (Right::Read, profiles::get),
        "profiles/list" => (Right::Read, profiles::list),
        "subscriptions/get" => (Right::Read, subscribing::get),
        "subscriptions/list" => (Right::Read, subscribing::list),

        "profiles/import" => (Right::Change, profiles::import),
        "profiles/import_batch" => (Right::Change, profiles::import_batch),
        "profiles/update" => (Right::Change, profiles::update),
        "profiles/update_batch" => (Right::Change, profiles::update_batch),
        "profiles/add" => (Right::Change, profiles::add),
        "profiles/add_batch" => (Right::Change, profiles::add_batch),
        "profiles/segstatic/add" => (Right::Change, segments::add),
        "profiles/segstatic/remove" => (Right::Change, segments::remove),
        "subscriptions/set" => (Right::Change, subscribing::set),
        "goals/register" => (Right::Change, goals::register),

        "workflows/start" => (Right::Launch, workflows::start),
        "workflows/import_and_start" => (Right::Launch, workflows::import_and_start),
        "workflows/import_and_start_batch" => (Right::Launch, workflows::import_and_start_batch),
        "workflows/import_and_start_batch_task" => (Right::Launch, workflows::import_and_start_batch_task),
        "workflows/activate" => (Right::Launch, workflows::activate),
        "workflows/deactivate" => (Right::Launch, workflows::deactivate),
        "campaigns/triggers/start" => (Right::Launch, triggers::start),
        "campaigns/triggers/start_batch" => (Right::Launch, triggers::start_batch),
        "campaigns/triggers/start_batch_task" => (Right::Launch, triggers::start_batch_task),
        "campaigns/triggers/import_and_start" => (Right::Launch, triggers::import_and_start),
        "campaigns/triggers/import_and_start_batch" => (Right::Launch, triggers::import_and_start_batch),
        "campaigns/triggers/import_and_start_batch_task" => (Right::Launch, triggers::import_and_start_batch_task),

        "profiles/delete" => (Right::Delete, profiles::delete),
        _ => return None,
    };
    Some(method)
}
