//! The roles of a process come one after the other, as soon as what each needs is there.

use std::{error::Error, time::Duration};

use axum::Router;
use patchbay_proto::Route;
use patchbay_service::{Installed, Role};
use tonic::service::Routes;

use super::{
    board::{Board, Verdict},
    ground::Laid,
    roles::{Recipe, Site, recipe},
};

/// The pause before a role is built again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often a role may fail while everything that it needs is there.
const MOST_FAILURES: u32 = 5;

/// What all roles of a process are together.
#[derive(Default)]
pub(super) struct Parts {
    /// The public HTTP surface.
    pub(super) public: Router,
    /// What other processes ask.
    pub(super) services: Routes,
}

/// Builds `roles`, which come in the order of `Role::ALL`. What each says about its readiness is put on the board.
pub(super) async fn install(
    roles: &[Role],
    site: &mut Site,
    laid: &Laid,
    board: &Board,
    progress: &Verdict,
) -> anyhow::Result<Parts> {
    let (mut public, mut services) = (Router::new(), Routes::default().into_axum_router());
    for role in roles {
        let installed = install_one(*role, site, laid, board, progress).await?;
        if let Some(own) = installed.services {
            // Only one of them can say what is not there.
            services = services.merge(own.clone().into_axum_router().reset_fallback());
            site.routes.push((*role, Route::local(own)));
        }
        if let Some(own) = installed.http {
            public = public.merge(own);
        }
        installed.checks.into_iter().for_each(|check| board.add(check));
    }
    progress.set(Ok(()));
    Ok(Parts { public, services: services.into() })
}

async fn install_one(
    role: Role,
    site: &Site,
    laid: &Laid,
    board: &Board,
    progress: &Verdict,
) -> anyhow::Result<Installed> {
    let Recipe { needs, install, .. } = recipe(role);
    let mut failures = 0;
    loop {
        for need in needs {
            if laid.lacks(*need).is_some() {
                progress.set(Err(format!("{role} waits for the {}", need.name())));
                laid.wait_for(*need).await;
            }
        }
        progress.set(Err(format!("{role} is being built")));
        let error = match install(site).await {
            Ok(installed) => return Ok(installed),
            Err(error) => error,
        };
        // The verdict about the role itself is among those that are missing.
        if board.missing().len() <= 1 {
            failures += 1;
        }
        if laid.ground.engine.is_local() || is_definite(&error) || failures >= MOST_FAILURES {
            return Err(error.context(format!("role {role} can't be started")));
        }
        let reason = words(&error);
        tracing::warn!(%role, reason, "role can't be started yet");
        progress.set(Err(format!("{role} can't be started yet: {reason}")));
        tokio::time::sleep(AGAIN).await;
    }
}

/// Whether only a person can change it.
fn is_definite(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| is_wrong_schema(cause) || is_broken_broker(cause) || is_other_key(cause))
}

fn is_wrong_schema(cause: &(dyn Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(patchbay_store::Error::Schema { .. }))
}

fn is_broken_broker(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref().is_some_and(|error| !matches!(error, patchbay_broker::Error::Unavailable(_)))
}

fn is_other_key(cause: &(dyn Error + 'static)) -> bool {
    use patchbay_connection::Error::{MasterKeyMissing, MasterKeyReplaced};
    matches!(cause.downcast_ref(), Some(MasterKeyMissing { .. } | MasterKeyReplaced { .. }))
}

/// The error with its causes on one line, without the hints.
fn words(error: &anyhow::Error) -> String {
    let lines = error.chain().filter_map(|cause| cause.to_string().lines().next().map(str::to_owned));
    lines.collect::<Vec<_>>().join(": ")
}
