//! Lists `connectors/*/connector.yaml` into the crate, so that a new partner touches one folder only.

use std::{env, fmt::Write, fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut manifests = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let manifest = entry?.path().join("connector.yaml");
        if manifest.is_file() {
            manifests.push(manifest.canonicalize()?);
        }
    }
    manifests.sort();
    let mut code = String::from("&[\n");
    for manifest in &manifests {
        println!("cargo::rerun-if-changed={}", manifest.display());
        let partner = manifest.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let name = format!("connectors/{partner}/connector.yaml");
        writeln!(code, "    ({name:?}, include_str!({:?})),", manifest.display().to_string())?;
    }
    code.push_str("]\n");
    #[expect(clippy::disallowed_methods, reason = "cargo tells build scripts where to write by the environment")]
    let output = env::var("OUT_DIR")?;
    fs::write(Path::new(&output).join("builtin.rs"), code)?;
    Ok(())
}
