//! Only tests live here: see `main.rs` beside this folder.
