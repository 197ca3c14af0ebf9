//! The line `ready`.

use serde_json::{Value, json};

use super::listeners::Addresses;
use crate::{config::LogFormat, up::Demo};

/// What is printed when everything is served.
pub(super) fn line(format: LogFormat, addresses: &Addresses, demo: Option<&Demo>) -> String {
    match format {
        LogFormat::Text => text(addresses, demo),
        LogFormat::Json => format!("{}\n", object(addresses, demo)),
    }
}

fn text(addresses: &Addresses, demo: Option<&Demo>) -> String {
    let Addresses { public, grpc, grpc_tls, admin, sandbox } = addresses;
    let public = public.map(|public| format!(" listen=http://{public}")).unwrap_or_default();
    let scheme = if *grpc_tls { "https" } else { "http" };
    let sandbox = sandbox.map(|sandbox| format!(" sandbox_listen=http://{sandbox}")).unwrap_or_default();
    let mut text = format!("ready{public} grpc_listen={scheme}://{grpc} admin_listen=http://{admin}{sandbox}\n");
    if let Some(demo) = demo {
        text.push_str(&demo.words());
    }
    text
}

fn object(addresses: &Addresses, demo: Option<&Demo>) -> Value {
    let Addresses { public, grpc, admin, sandbox, .. } = addresses;
    let mut line = json!({
        "event": "ready",
        "grpc_listen": grpc.to_string(),
        "admin_listen": admin.to_string(),
    });
    if let Some(public) = public {
        line["listen"] = public.to_string().into();
    }
    if let Some(sandbox) = sandbox {
        line["sandbox_listen"] = sandbox.to_string().into();
    }
    if let Some(demo) = demo {
        line["demo"] = demo.object();
    }
    line
}
