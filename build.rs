//! Hands `--cfg loom`, `--cfg shuttle` and `--cfg explored` on to rustdoc, which does not read
//! RUSTFLAGS, and names what they have in common `model`; says where the copy routine
//! is vectors in assembly, `vectors`: not where each access is watched.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_set = |cfg: &str| std::env::var_os(format!("CARGO_CFG_{}", cfg.to_uppercase())).is_some();
    for checker in ["loom", "shuttle", "explored"] {
        if is_set(checker) {
            println!("cargo::rustc-cfg={checker}");
            println!("cargo::rustc-cfg=model");
        }
    }
    let watched = ["loom", "shuttle", "explored", "fuzzing", "crash"].into_iter().any(is_set);
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let has_vectors = match &*target("ARCH") {
        "x86_64" => true,
        "aarch64" => target("ENDIAN") == "little",
        _ => false,
    };
    if has_vectors && !watched {
        println!("cargo::rustc-cfg=vectors");
    }
}
