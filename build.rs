//! Passes `--cfg loom` on to rustdoc, which does not get `RUSTFLAGS`: without
//! it a doctest would be compiled without the cfg against a library that has it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_CFG_LOOM").is_some() {
        println!("cargo::rustc-cfg=loom");
    }
}
