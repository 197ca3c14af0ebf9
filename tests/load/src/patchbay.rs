//! Patchbay from the executable to a published automation.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use http::Uri;
use patchbay_runtime::Tasks;
use serde_json::{Value, json};

use crate::http_client::Connection;
use crate::process::{Process, run_to_end};

const EMAIL: &str = "bench@example.com";
/// Of a user in a throwaway data directory.
const PASSWORD: &str = "a password of the benchmark";
const ANY_PORT: &str = "127.0.0.1:0";

/// Makes a user, then starts all roles in one process.
pub(crate) fn start(executable: &Path, directory: &Path, stub: SocketAddr) -> Result<Process> {
    let data_dir = directory.join("data");
    let mut create = Command::new(executable);
    create.args(["user", "create", "--email", EMAIL, "--password-stdin", "--data-dir"]).arg(&data_dir);
    run_to_end("patchbay user create", create, PASSWORD, directory.join("user.log"))?;

    let mut up = Command::new(executable);
    up.args(["up", "--listen", ANY_PORT, "--grpc-listen", ANY_PORT, "--admin-listen", ANY_PORT]);
    up.args(["--log-format", "json", "--data-dir"]).arg(&data_dir);
    up.env("PATCHBAY__EGRESS__ALLOW_PRIVATE", json!([stub.to_string()]).to_string());
    Process::start("patchbay", up, directory.join("patchbay.log"))
}

/// Logs in, connects the stub, publishes an automation for a hook, and returns the path of the hook.
pub(crate) async fn prepare(patchbay: SocketAddr, stub: SocketAddr, concurrency: u32, tasks: &Tasks) -> Result<Uri> {
    let mut api = Connection::open(patchbay, tasks).await?;
    let login = api.call("/user/auth", None, &json!({ "email": EMAIL, "password": PASSWORD })).await?;
    let token = login.pointer("/data/authToken").and_then(Value::as_str).context("find the token of the login")?;

    let connection = api.call("/v1/connections", Some(token), &connection(stub, concurrency)).await?;
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

fn connection(stub: SocketAddr, concurrency: u32) -> Value {
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
