//! What stands behind an installed library: its version, its soname and symbols, and what `CMake` is told.

use crate::support::{Channel, skipped};
use crate::{INSTALLED, ROOT, at, compile, compiler, has, install, place, succeeds};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Of the C library, which is the project's.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[test]
fn header_and_library_are_of_one_version() {
    let number = VERSION.split('.').fold(0, |number, part| 100 * number + part.parse::<u32>().unwrap());
    let said = succeeds(&mut Command::new(compile("tests/capi/version.c", &compiler(), "c11")));
    assert_eq!(said, format!("{number} {VERSION}\n"));
}

#[test]
fn the_shared_library_has_its_soname_and_every_function_of_the_header() {
    let lib = INSTALLED.join("lib/libshm_handoff.so");
    if !has("readelf") {
        return skipped("readelf is not installed");
    }
    let dynamic = succeeds(Command::new("readelf").args(["-dW"]).arg(&lib).env("LC_ALL", "C"));
    assert!(dynamic.contains("Library soname: [libshm_handoff.so.0]"), "{dynamic}");
    let symbols = succeeds(Command::new("nm").args(["-D", "--defined-only", "--without-symbol-versions"]).arg(&lib));
    let exported: BTreeSet<_> =
        symbols.lines().filter(|line| line.contains(" T ")).map(|line| line.rsplit(' ').next().unwrap()).collect();
    let header = std::fs::read_to_string(Path::new(ROOT).join("capi/include/shm_handoff.h")).unwrap();
    // A declaration begins in the first column, and not with a blank or a slash.
    let declared: BTreeSet<_> = header
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()) && line.contains('('))
        .map(|line| line.split('(').next().unwrap().rsplit([' ', '*']).next().unwrap())
        .collect();
    assert!(declared.len() > 20, "{declared:?}");
    assert_eq!(exported, declared, "what capi/shm_handoff.map has, and what the header declares");
}

/// Installed anywhere, also where the folder of the library has several parts; both targets; versions.
#[test]
fn cmake_finds_what_is_installed() {
    if !has("cmake") {
        return skipped("cmake is not installed");
    }
    for libdir in ["lib", "lib/x86_64-linux-gnu"] {
        let prefix = tempfile::tempdir().unwrap();
        succeeds(install().env("PREFIX", prefix.path()).env("LIBDIR", libdir));
        let built = prefix.path().join("built");
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(Path::new(ROOT).join("examples/c")).arg("-B").arg(&built);
        if libdir == "lib" {
            configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.path().display()));
        } else {
            // The folder is named: CMake looks into that of this machine's multiarch alone.
            let config = prefix.path().join(libdir).join("cmake/shm-handoff");
            configure.arg(format!("-Dshm-handoff_DIR={}", config.display()));
        }
        succeeds(&mut configure);
        succeeds(Command::new("cmake").arg("--build").arg(&built));
        for reader in ["reader", "reader-static"] {
            let channel = Channel::new();
            let reader = at(&channel, &built.join(reader)).start();
            at(&channel, &built.join("writer")).input("hello\n").end().code(0);
            reader.end().code(0).prints("You wrote: hello\nYou wrote: end\n");
            channel.assert_nothing_left();
        }
        let needs = |program: &str| succeeds(Command::new("readelf").args(["-dW"]).arg(built.join(program)));
        assert!(needs("reader").contains("[libshm_handoff.so.0]"));
        assert!(!needs("reader-static").contains("libshm_handoff"));
    }
}

/// What is right as it stands is not looked for elsewhere.
#[test]
fn cmake_finds_a_prefix_whose_folder_of_libraries_is_a_link() {
    if !has("cmake") {
        return skipped("cmake is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let (prefix, store) = (folder.path().join("prefix"), folder.path().join("store"));
    succeeds(install().env("PREFIX", &prefix));
    std::fs::create_dir(&store).unwrap();
    std::fs::rename(prefix.join("lib"), store.join("lib")).unwrap();
    std::os::unix::fs::symlink(store.join("lib"), prefix.join("lib")).unwrap();
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(Path::new(ROOT).join("examples/c")).arg("-B").arg(folder.path().join("built"));
    succeeds(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())));
}

/// Whether `CMake` finds the library by `find_package` with these arguments, after some lines of a project.
fn asks_cmake(source: &Path, before: &str, wanted: &str) -> bool {
    let project = format!(
        "cmake_minimum_required(VERSION 3.13)\nproject(asks C)\n{before}\nfind_package(shm-handoff {wanted} CONFIG REQUIRED)\n"
    );
    std::fs::create_dir_all(source).unwrap();
    std::fs::write(source.join("CMakeLists.txt"), project).unwrap();
    let config = INSTALLED.join("lib/cmake/shm-handoff");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(source).arg("-B").arg(source.join("built"));
    configure.arg(format!("-Dshm-handoff_DIR={}", config.display())).current_dir(place());
    configure.output().unwrap().status.success()
}

/// There are no components, and a program with pointers of another size can't be linked.
#[test]
fn cmake_finds_nothing_that_is_not_there() {
    if !has("cmake") {
        return skipped("cmake is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let source = |name: &str| folder.path().join(name);
    assert!(asks_cmake(&source("all"), "", ""));
    assert!(!asks_cmake(&source("required"), "", "COMPONENTS static"));
    assert!(asks_cmake(&source("optional"), "", "OPTIONAL_COMPONENTS static"));
    let other = 12 - size_of::<usize>();
    assert!(!asks_cmake(&source("other"), &format!("set(CMAKE_SIZEOF_VOID_P {other})"), ""));
}

/// As long as the first number stays, a later version serves who asks for an earlier one.
#[test]
fn cmake_compares_versions() {
    if !has("cmake") {
        return skipped("cmake is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let [major, minor, patch] = [0, 1, 2].map(|at| VERSION.split('.').nth(at).unwrap().parse::<u32>().unwrap());
    let found = |wanted: &str| asks_cmake(&folder.path().join(wanted.replace(' ', "-")), "", wanted);
    assert!(found(&format!("{major}.{minor}")) && found(&format!("{VERSION} EXACT")));
    let newer =
        [format!("{major}.{minor}.{}", patch + 1), format!("{major}.{}", minor + 1), format!("{}.0", major + 1)];
    for newer in newer {
        assert!(!found(&newer), "{newer} is not there");
    }
    let next = format!("{major}.{minor}.{}", patch + 1);
    for range in [format!("{major}.0...{VERSION}"), format!("{major}.0...<{next}")] {
        assert!(found(&range), "{range}");
    }
    for range in
        [format!("{major}.0...<{VERSION}"), format!("{major}.0...{major}.0.9"), format!("{next}...{}", major + 1)]
    {
        assert!(!found(&range), "{range}");
    }
}

#[test]
fn a_libdir_outside_of_the_prefix_is_refused() {
    for libdir in ["/usr/lib", "../lib", "lib/../..", "li b"] {
        let output = install().env("PREFIX", "/nonexistent").env("LIBDIR", libdir).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{libdir}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("LIBDIR"), "{output:?}");
    }
}
