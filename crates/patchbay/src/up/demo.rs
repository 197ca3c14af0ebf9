//! What `--demo` adds: a user, a connection to the sandbox, and an automation that a webhook starts.

use std::net::SocketAddr;

use anyhow::{Context, anyhow};
use patchbay_gateway::users;
use patchbay_proto::{
    Route,
    automation::v1::{
        Automation, AutomationRequest, CreateAutomationRequest, ListAutomationsRequest,
        automation_service_client::AutomationServiceClient,
    },
    connection::v1::{
        Connection, CreateConnectionRequest, ListConnectionsRequest, UpdateConnectionRequest,
        connection_service_client::ConnectionServiceClient,
    },
};
use patchbay_service::Ground;
use patchbay_types::WorkspaceId;
use serde_json::{Value, json};

const EMAIL: &str = "demo@example.com";
const PASSWORD: &str = "patchbay-demo";
const CONNECTION: &str = "Altcraft sandbox";
const AUTOMATION: &str = "Welcome scenario";
const PAGE: i64 = 1000;

/// What can be tried.
pub(super) struct Demo {
    /// The public listener as others reach it.
    base: String,
    sandbox: SocketAddr,
    hook_url: String,
}

/// Makes what is missing of the demo. What is there from an earlier start is used again.
pub(super) async fn prepare(
    ground: &Ground,
    connection: Route,
    automation: Route,
    base: String,
    sandbox: SocketAddr,
) -> anyhow::Result<Demo> {
    let workspace = user(ground).await?;
    let connection = connect(ConnectionServiceClient::new(connection), workspace, sandbox)
        .await
        .context("connection of the demo can't be made")?;
    let automation = automate(AutomationServiceClient::new(automation), workspace, connection)
        .await
        .context("automation of the demo can't be made")?;
    let hook_url = format!("{base}/hooks/{}", automation.hook_token);
    Ok(Demo { base, sandbox, hook_url })
}

async fn user(ground: &Ground) -> anyhow::Result<WorkspaceId> {
    if let Some(found) = users::find(&ground.engine, EMAIL).await.context("user of the demo can't be looked up")? {
        return Ok(found.workspace);
    }
    let created = users::create(&ground.engine, &ground.clock, EMAIL, PASSWORD).await;
    Ok(created.context("user of the demo can't be made")?.workspace)
}

/// The connection to the sandbox, wherever that listens today.
async fn connect(
    mut client: ConnectionServiceClient<Route>,
    workspace: WorkspaceId,
    sandbox: SocketAddr,
) -> anyhow::Result<i64> {
    let fields = json!({ "host": format!("http://{sandbox}"), "token": "sandbox-altcraft-token" });
    let listing = ListConnectionsRequest { workspace_id: workspace.get(), limit: PAGE, after_id: 0 };
    let listed = client.list(listing).await?.into_inner().connections;
    let is_ours = |connection: &&Connection| connection.partner == "altcraft" && connection.title == CONNECTION;
    let Some(found) = listed.iter().find(is_ours) else {
        let request = CreateConnectionRequest {
            workspace_id: workspace.get(),
            partner: "altcraft".to_owned(),
            title: CONNECTION.to_owned(),
            fields: fields.to_string().into(),
            concurrency: None,
        };
        return Ok(client.create(request).await?.into_inner().id);
    };
    let shown: Value = serde_json::from_slice(&found.fields).context("its fields can't be read")?;
    if shown["host"] != fields["host"] {
        let request = UpdateConnectionRequest {
            workspace_id: workspace.get(),
            id: found.id,
            title: None,
            fields: fields.to_string().into(),
            concurrency: None,
        };
        client.update(request).await?;
    }
    Ok(found.id)
}

/// The automation, published; one that a person paused stays so.
async fn automate(
    mut client: AutomationServiceClient<Route>,
    workspace: WorkspaceId,
    connection: i64,
) -> anyhow::Result<Automation> {
    let listing = ListAutomationsRequest { workspace_id: workspace.get(), limit: PAGE, ..Default::default() };
    let listed = client.list(listing).await?.into_inner().automations;
    let found = match listed.into_iter().find(is_welcome) {
        Some(found) => found,
        None => {
            let definition = welcome(connection).to_string().into();
            let request = CreateAutomationRequest { workspace_id: workspace.get(), definition };
            client.create(request).await?.into_inner()
        }
    };
    let found = match found.version {
        0 => client.publish(AutomationRequest { workspace_id: workspace.get(), id: found.id }).await?.into_inner(),
        _ => found,
    };
    if found.hook_token.is_empty() { Err(anyhow!("it has no hook")) } else { Ok(found) }
}

fn is_welcome(automation: &Automation) -> bool {
    let definition: Value = serde_json::from_slice(&automation.definition).unwrap_or_default();
    definition["name"] == AUTOMATION && definition["trigger"]["operation"] == "webhook.received"
}

fn welcome(connection: i64) -> Value {
    json!({
        "name": AUTOMATION,
        "trigger": { "operation": "webhook.received" },
        "steps": [{
            "key": "launch",
            "operation": "altcraft.import_and_launch_scenario",
            "connection_id": connection,
            "input": {
                "db_id": 7,
                "workflow_id": 12,
                "matching": "email",
                "email": "{{ trigger.email }}",
                "data": { "_fname": "{{ trigger.first_name | title }}", "_lname": "{{ trigger.last_name }}" },
            },
        }],
    })
}

impl Demo {
    fn fire(&self) -> String {
        format!(
            "curl -s -X POST {} -H 'content-type: application/json' -d '{}'",
            self.hook_url, r#"{"email":"ann@shop.test","first_name":"ann"}"#
        )
    }

    fn profiles(&self) -> String {
        format!("curl -s 'http://{}/_/altcraft/profiles?db_id=7'", self.sandbox)
    }

    fn token(&self) -> String {
        format!(
            "curl -s -X POST {}/user/auth -H 'content-type: application/json' -d '{}'",
            self.base,
            json!({ "email": EMAIL, "password": PASSWORD })
        )
    }

    fn runs(&self) -> String {
        format!("curl -s {}/v1/runs -H \"authorization: Bearer $TOKEN\"", self.base)
    }

    /// For people.
    pub(super) fn words(&self) -> String {
        format!(
            "\n\
             API:    {base}\n\
             login:  {EMAIL} with password {PASSWORD}\n\
             hook:   {hook}\n\
             \n\
             fire the automation \"{AUTOMATION}\" (an equal body within 10 minutes is the same event):\n  {fire}\n\
             see the profile at the partner:\n  {profiles}\n\
             see the run, with authToken of the first answer as TOKEN:\n  {token}\n  {runs}\n",
            base = self.base,
            hook = self.hook_url,
            fire = self.fire(),
            profiles = self.profiles(),
            token = self.token(),
            runs = self.runs(),
        )
    }

    /// For programs.
    pub(super) fn object(&self) -> Value {
        json!({
            "url": self.base,
            "email": EMAIL,
            "password": PASSWORD,
            "hook_url": self.hook_url,
            "sandbox_url": format!("http://{}", self.sandbox),
            "fire": self.fire(),
            "profiles": self.profiles(),
            "token": self.token(),
            "runs": self.runs(),
        })
    }
}
