//! What `--demo` adds: a user, connections to the sandbox's partners, and automations: one that a contact of the
//! sandbox's CRM starts, one that any webhook starts.

use std::{net::SocketAddr, path::Path};

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
use patchbay_sandbox::Sandbox;
use patchbay_service::{Ground, Role};
use patchbay_types::WorkspaceId;
use serde_json::{Value, json};

use crate::process::roles::Site;

const EMAIL: &str = "demo@example.com";
const PASSWORD: &str = "patchbay-demo";
const CRM: &str = "CRM sandbox";
const ALTCRAFT: &str = "Altcraft sandbox";
const WELCOME: &str = "Welcome scenario";
const BY_WEBHOOK: &str = "Welcome scenario by webhook";
const PAGE: i64 = 1000;

/// What can be tried.
pub(crate) struct Demo {
    /// The public listener as others reach it.
    base: String,
    sandbox: SocketAddr,
    /// Of the automation that any webhook starts.
    hook_url: String,
    data_directory: String,
}

/// Makes what is missing of the demo, and tells the sandbox's CRM where its webhooks go. What is there from an earlier
/// start is used again.
pub(crate) async fn prepare(
    site: &Site,
    address: SocketAddr,
    data_directory: &Path,
    sandbox: &Sandbox,
) -> anyhow::Result<Demo> {
    let base = base_url(site)?;
    let workspace = user(&site.ground).await?;
    let host = format!("http://{address}");
    let connections = ConnectionServiceClient::new(site.peer(Role::Connection)?);
    let fields = json!({ "host": host, "api_key": "sandbox-crm-key" });
    let crm = connect(connections.clone(), workspace, "sandbox-crm", CRM, fields).await;
    let crm = crm.context("connection to the CRM of the demo can't be made")?;
    let fields = json!({ "host": host, "token": "sandbox-altcraft-token" });
    let altcraft = connect(connections, workspace, "altcraft", ALTCRAFT, fields).await;
    let altcraft = altcraft.context("connection to Altcraft of the demo can't be made")?;

    let automations = AutomationServiceClient::new(site.peer(Role::Automation)?);
    let by_crm = automate(automations.clone(), workspace, &welcome(crm, altcraft)).await;
    let by_crm = by_crm.context("automation of the demo can't be made")?;
    let by_webhook = automate(automations, workspace, &welcome_by_webhook(altcraft)).await;
    let by_webhook = by_webhook.context("automation by webhook of the demo can't be made")?;
    let hook_url = |automation: &Automation| format!("{base}/hooks/{}", automation.hook_token);
    let registered = sandbox.register_crm_webhook(&hook_url(&by_crm));
    registered.context("webhook of the demo can't be registered at the sandbox")?;
    let hook_url = hook_url(&by_webhook);
    let data_directory = data_directory.display().to_string();
    Ok(Demo { base, sandbox: address, hook_url, data_directory })
}

/// The public listener as others reach it.
fn base_url(site: &Site) -> anyhow::Result<String> {
    let public = site.public.context("there is no public listener")?;
    let url = site.config.gateway().or_listening_on(public).public_url.unwrap_or_default();
    Ok(url.trim_end_matches('/').to_owned())
}

async fn user(ground: &Ground) -> anyhow::Result<WorkspaceId> {
    if let Some(found) = users::find(&ground.engine, EMAIL).await.context("user of the demo can't be looked up")? {
        return Ok(found.workspace);
    }
    let created = users::create(&ground.engine, &ground.clock, EMAIL, PASSWORD).await;
    Ok(created.context("user of the demo can't be made")?.workspace)
}

/// The connection to a partner of the sandbox, wherever that listens today.
async fn connect(
    mut client: ConnectionServiceClient<Route>,
    workspace: WorkspaceId,
    partner: &str,
    title: &str,
    fields: Value,
) -> anyhow::Result<i64> {
    let listing = ListConnectionsRequest { workspace_id: workspace.get(), limit: PAGE, after_id: 0 };
    let listed = client.list(listing).await?.into_inner().connections;
    let is_ours = |connection: &&Connection| connection.partner == partner && connection.title == title;
    let Some(found) = listed.iter().find(is_ours) else {
        let request = CreateConnectionRequest {
            workspace_id: workspace.get(),
            partner: partner.to_owned(),
            title: title.to_owned(),
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
    wanted: &Value,
) -> anyhow::Result<Automation> {
    let listing = ListAutomationsRequest { workspace_id: workspace.get(), limit: PAGE, ..Default::default() };
    let listed = client.list(listing).await?.into_inner().automations;
    let found = match listed.into_iter().find(|automation| is_alike(automation, wanted)) {
        Some(found) => found,
        None => {
            let definition = wanted.to_string().into();
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

/// Whether an automation is the one that an earlier start made, whatever a person did to its steps.
fn is_alike(automation: &Automation, wanted: &Value) -> bool {
    let definition: Value = serde_json::from_slice(&automation.definition).unwrap_or_default();
    definition["name"] == wanted["name"] && definition["trigger"]["operation"] == wanted["trigger"]["operation"]
}

fn welcome(crm: i64, altcraft: i64) -> Value {
    let trigger = json!({ "operation": "sandbox-crm.contact_created", "connection_id": crm, "mode": "webhook" });
    json!({ "name": WELCOME, "trigger": trigger, "steps": [launch(altcraft)] })
}

fn welcome_by_webhook(altcraft: i64) -> Value {
    json!({ "name": BY_WEBHOOK, "trigger": { "operation": "webhook.received" }, "steps": [launch(altcraft)] })
}

fn launch(altcraft: i64) -> Value {
    json!({
        "key": "launch",
        "operation": "altcraft.import_and_launch_scenario",
        "connection_id": altcraft,
        "input": {
            "db_id": 7,
            "workflow_id": 12,
            "matching": "email",
            "email": "{{ trigger.email }}",
            "data": { "_fname": "{{ trigger.first_name | title }}", "_lname": "{{ trigger.last_name }}" },
        },
    })
}

impl Demo {
    fn fire(&self) -> String {
        format!(
            "curl -s -X POST http://{}/crm/contacts -H 'X-Api-Key: sandbox-crm-key' \
             -H 'content-type: application/json' -d '{}'",
            self.sandbox, r#"{"email":"ann@shop.test","first_name":"ann"}"#
        )
    }

    fn fire_webhook(&self) -> String {
        format!(
            "curl -s -X POST {} -H 'content-type: application/json' -d '{}'",
            self.hook_url, r#"{"email":"bob@shop.test","first_name":"bob"}"#
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

    fn entries(&self) -> String {
        format!("curl -s http://{}/_/altcraft/workflows/12/entries", self.sandbox)
    }

    fn list(&self) -> String {
        format!("patchbay runs list --data-dir '{}'", self.data_directory)
    }

    fn program_token(&self) -> String {
        format!("patchbay user token --email {EMAIL} --data-dir '{}'", self.data_directory)
    }

    /// For people.
    pub(crate) fn words(&self) -> String {
        format!(
            "\n\
             API:    {base}\n\
             login:  {EMAIL} with password {PASSWORD}\n\
             hook:   {hook}\n\
             \n\
             1. make a contact in the sandbox's CRM; its signed webhook starts \"{WELCOME}\":\n   {fire}\n\
             2. see the profile in the sandbox's Altcraft, and its entry into scenario 12:\n   {profiles}\n   {entries}\n\
             3. see the run, and what went in and came out:\n   {list}\n   TOKEN=$({program_token})\n   {runs}\n\
             or send any form or JSON to the hook (an equal body within 10 minutes is the same event):\n   {webhook}\n",
            base = self.base,
            hook = self.hook_url,
            fire = self.fire(),
            profiles = self.profiles(),
            entries = self.entries(),
            program_token = self.program_token(),
            list = self.list(),
            runs = self.runs(),
            webhook = self.fire_webhook(),
        )
    }

    /// For programs.
    pub(crate) fn object(&self) -> Value {
        json!({
            "url": self.base,
            "email": EMAIL,
            "password": PASSWORD,
            "hook_url": self.hook_url,
            "sandbox_url": format!("http://{}", self.sandbox),
            "fire": self.fire(),
            "fire_webhook": self.fire_webhook(),
            "profiles": self.profiles(),
            "entries": self.entries(),
            "token": self.token(),
            "runs": self.runs(),
        })
    }
}
