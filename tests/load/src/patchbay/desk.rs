//! A user's way from the login to a published automation.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use http::Uri;
use patchbay_runtime::Tasks;
use serde_json::{Value, json};

use super::PASSWORD;
use crate::http_client::Connection;

/// What the automation of a user calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Partner {
    pub(crate) stub: SocketAddr,
    /// Calls at a time; 0 is no bound.
    pub(crate) concurrency: u32,
}

/// Logs in, connects the stub, publishes an automation for a hook, and returns the path of the hook.
pub(crate) async fn prepare(api: SocketAddr, email: &str, partner: Partner, tasks: &Tasks) -> Result<Uri> {
    let mut api = Connection::open(api, tasks).await?;
    let login = api.call("/user/auth", None, &json!({ "email": email, "password": PASSWORD })).await?;
    let token = login.pointer("/data/authToken").and_then(Value::as_str).context("find the token of the login")?;

    let connection = api.call("/v1/connections", Some(token), &connection(partner)).await?;
    let connection_id = connection["id"].as_i64().context("find the id of the connection")?;

    let created = api.call("/v1/automations", Some(token), &automation(connection_id)).await?;
    let id = created["id"].as_str().context("find the id of the automation")?;
    let published = api.call(&format!("/v1/automations/{id}/publish"), Some(token), &json!({})).await?;

    let hook_url = [published, created]
        .iter()
        .find_map(|answer| answer.pointer("/trigger/hook_url")?.as_str()?.parse::<Uri>().ok())
        .context("find the hook URL of the automation")?;
    hook_url.path().parse().context("read the path of the hook")
}

fn connection(partner: Partner) -> Value {
    let Partner { stub, concurrency } = partner;
    json!({
        "partner": "altcraft",
        "title": "bench",
        "fields": { "host": format!("http://{stub}"), "token": "benchmark-token" },
        "budget": { "concurrency": concurrency },
    })
}

fn automation(connection_id: i64) -> Value {
    json!({
        "name": "bench",
        "trigger": { "operation": "webhook.received", "mode": "webhook" },
        "steps": [{
            "key": "import",
            "operation": "altcraft.import_profile",
            "connection_id": connection_id,
            "input": {
                "db_id": 7,
                "matching": "email",
                "email": "{{ trigger.customer.email }}",
                "data": {
                    "_fname": "{{ trigger.customer.first_name }}",
                    "_lname": "{{ trigger.customer.last_name }}",
                    "_city": "{{ trigger.customer.city }}",
                    "order_id": "{{ trigger.id }}",
                    "order_total": "{{ trigger.total }}",
                },
            },
        }],
    })
}
