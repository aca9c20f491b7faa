//! Hands `--cfg loom` and `--cfg shuttle` on to rustdoc, which does not read
//! RUSTFLAGS, and names what they have in common `model`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for checker in ["loom", "shuttle"] {
        if std::env::var_os(format!("CARGO_CFG_{}", checker.to_uppercase())).is_some() {
            println!("cargo::rustc-cfg={checker}");
            println!("cargo::rustc-cfg=model");
        }
    }
}
