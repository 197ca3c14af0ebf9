//! Compiles the `.proto` files without a `protoc` on the machine.

use std::{env, error::Error, fs, path::PathBuf};

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
    tonic_prost_build::configure().bytes(".").skip_debug(SECRETIVE).compile_fds(descriptors)?;
    Ok(())
}
