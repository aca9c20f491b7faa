//! The header is what the source says.

use std::path::Path;

#[test]
fn the_header_is_current() {
    let capi = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config = cbindgen::Config::from_file(capi.join("cbindgen.toml")).unwrap();
    for (name, number) in [
        ("@VERSION@", env!("CARGO_PKG_VERSION")),
        ("@MAJOR@", env!("CARGO_PKG_VERSION_MAJOR")),
        ("@MINOR@", env!("CARGO_PKG_VERSION_MINOR")),
        ("@PATCH@", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        config.after_includes = config.after_includes.map(|text| text.replace(name, number));
    }
    let mut made = Vec::new();
    cbindgen::Builder::new().with_crate(capi).with_config(config).generate().unwrap().write(&mut made);
    // What Rust calls safety is the caller's part here.
    let made = String::from_utf8(made).unwrap().replace("# Safety", "The caller's part:");
    let path = capi.join("include/shm_handoff.h");
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "{} is out of date: UPDATE_HEADER=1 cargo test -p shm-handoff-capi", path.display());
}
