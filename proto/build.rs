//! Compiles the `.proto` files without a `protoc` on the machine.

use std::{env, error::Error, fmt::Write, fs, path::PathBuf};

const FILES: [&str; 8] = [
    "patchbay/event/v1/event.proto",
    "patchbay/event/v1/service.proto",
    "patchbay/catalog/v1/catalog.proto",
    "patchbay/connection/v1/connection.proto",
    "patchbay/connection/internal/v1/connection.proto",
    "patchbay/automation/v1/automation.proto",
    "patchbay/automation/internal/v1/automation.proto",
    "patchbay/executor/v1/run.proto",
];

/// Messages that carry secrets in plain text: nobody can print them by accident.
const SECRETIVE: [&str; 5] = [
    "patchbay.connection.internal.v1.IssueCredentialResponse",
    "patchbay.connection.internal.v1.HookKey",
    "patchbay.connection.internal.v1.HookKeysResponse",
    "patchbay.connection.v1.CreateConnectionRequest",
    "patchbay.connection.v1.UpdateConnectionRequest",
];

#[expect(clippy::disallowed_methods, reason = "cargo tells build scripts their folder by the environment")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=patchbay");
    let descriptors = protox::compile(FILES, ["."])?;
    let output = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(output.join("descriptors.bin"), protox::prost::Message::encode_to_vec(&descriptors))?;

    let mut methods = Vec::new();
    for file in &descriptors.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                if method.client_streaming() {
                    return Err(
                        format!("{path}: a stream of requests can't be sent again; routes don't take it").into()
                    );
                }
                let level = method.options.as_ref().and_then(|options| options.idempotency_level);
                // 0 is IDEMPOTENCY_UNKNOWN.
                methods.push((path, level.unwrap_or(0) != 0, method.server_streaming()));
            }
        }
    }
    methods.sort();
    fs::write(output.join("methods.rs"), table(&methods)?)?;

    tonic_prost_build::configure().bytes(".").skip_debug(SECRETIVE).compile_fds(descriptors)?;
    Ok(())
}

fn table(methods: &[(String, bool, bool)]) -> Result<String, std::fmt::Error> {
    let mut table = String::from("&[\n");
    for (path, repeatable, streams) in methods {
        writeln!(table, "    Method {{ path: {path:?}, repeatable: {repeatable}, streams: {streams} }},")?;
    }
    table.push(']');
    Ok(table)
}
