//! The commands `user create` and `user token`.

use std::io::BufRead;

use anyhow::{Context, anyhow};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use patchbay_gateway::users;
use patchbay_runtime::Clock;
use serde_json::json;
use zeroize::Zeroizing;

use crate::{cli::Sources, config::Config, database, failure::Failure, output};

const SHORTEST_PASSWORD: usize = 8;

/// Makes a user, and the database when it is missing.
pub(crate) fn create(email: &str, password_stdin: bool, sources: &Sources, json: bool) -> Result<(), Failure> {
    let config = Config::load(sources)?;
    let password = if password_stdin { read_password()? } else { make_password()? };
    let created = database::on(&config, async |engine| {
        patchbay_gateway::migrate(engine).await.context("database can't be brought up to date")?;
        users::create(engine, &Clock::system(), email, &password).await.map_err(refusal)
    })?;
    let shown = (!password_stdin).then_some(password.as_str());
    let (user, workspace) = (created.user.get(), created.workspace.get());
    if json {
        let mut line = json!({ "email": email, "user_id": user, "workspace_id": workspace });
        if let Some(password) = shown {
            line["password"] = password.into();
        }
        return output::print(&format!("{line}\n"));
    }
    let password = shown.map(|password| format!("password: {password}\n")).unwrap_or_default();
    output::print(&format!("created user {email} with workspace {workspace}\n{password}"))
}

/// Makes a token for programs.
pub(crate) fn token(email: &str, sources: &Sources, json: bool) -> Result<(), Failure> {
    let config = Config::load(sources)?;
    let token = database::on_existing(&config, async |engine| {
        patchbay_gateway::migrate(engine).await.context("database can't be brought up to date")?;
        users::create_token(engine, &Clock::system(), email).await.map_err(refusal).map(Zeroizing::new)
    })?;
    match json {
        true => output::print(&format!("{}\n", json!({ "email": email, "token": token.as_str() }))),
        false => output::print(&format!("{}\n", token.as_str())),
    }
}

fn read_password() -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line).context("password can't be read from standard input")?;
    let password = Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned());
    if password.chars().count() < SHORTEST_PASSWORD {
        let message = format!("password on standard input is shorter than {SHORTEST_PASSWORD} characters");
        return Err(Failure::usage(message));
    }
    Ok(password)
}

/// 128 random bits as 22 characters.
fn make_password() -> anyhow::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 16]);
    getrandom::fill(bytes.as_mut_slice()).context("no random bytes for a password")?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

fn refusal(error: patchbay_gateway::Error) -> anyhow::Error {
    match error {
        patchbay_gateway::Error::Refused(fault) => anyhow!(fault.message),
        other => other.into(),
    }
}
