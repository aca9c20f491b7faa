//! Looks for what the system has to have: ZeroMQ and Boost. What is not there leaves
//! its rows empty.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/peers/boost.cpp");
    println!("cargo::rustc-check-cfg=cfg(have_zmq, have_boost)");
    if zmq() {
        println!("cargo::rustc-cfg=have_zmq");
    } else {
        println!("cargo::warning=no ZeroMQ (Debian: apt install pkg-config libzmq3-dev): its row stays empty");
    }
    if boost() {
        println!("cargo::rustc-cfg=have_boost");
    } else {
        println!("cargo::warning=no Boost (Debian: apt install g++ libboost-dev): its row stays empty");
    }
}

fn zmq() -> bool {
    let Ok(said) = Command::new("pkg-config").args(["--libs-only-L", "libzmq"]).output() else { return false };
    if !said.status.success() {
        return false;
    }
    for path in String::from_utf8_lossy(&said.stdout).split_whitespace() {
        println!("cargo::rustc-link-search=native={}", path.trim_start_matches("-L"));
    }
    println!("cargo::rustc-link-lib=zmq");
    true
}

fn boost() -> bool {
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .opt_level(2)
        .warnings(false)
        .cargo_warnings(false)
        .file("src/peers/boost.cpp")
        .try_compile("peers_boost")
        .is_ok()
}
