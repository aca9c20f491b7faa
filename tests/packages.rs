//! The packages' metadata agree: with each other, with what `ci/release.sh` makes, and with the versions.
#![cfg(not(model))]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn output(command: &mut Command) -> String {
    let output = command.current_dir(ROOT).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What `ci/release.sh` makes.
fn made() -> BTreeSet<String> {
    output(Command::new("ci/release.sh").arg("--list")).lines().map(str::to_owned).collect()
}

/// The members that are packaged, as cargo reads them.
fn members() -> Vec<Value> {
    let read = output(Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--no-deps", "--locked"]));
    let Value::Array(all) = serde_json::from_str::<Value>(&read).unwrap()["packages"].take() else { panic!("{read}") };
    let members: Vec<_> = all.into_iter().filter(|member| member["metadata"]["deb"].is_object()).collect();
    assert_eq!(members.len(), 3, "the programs, the bridge and the C library");
    members
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// The names of a member's packages of one kind, those of its variants too.
fn names<'m>(member: &'m Value, kind: &str) -> Vec<&'m str> {
    let tables = &member["metadata"][kind];
    let variants = tables["variants"].as_object().into_iter().flat_map(|variants| variants.values());
    let named = |table: &'m Value| table["name"].as_str().unwrap_or_else(|| text(&member["name"]));
    std::iter::once(tables).chain(variants).map(named).collect()
}

fn machine() -> String {
    output(Command::new("uname").arg("-m")).trim().to_owned()
}

#[test]
fn each_package_of_the_metadata_is_made_and_no_other() {
    let debian = match &*machine() {
        "x86_64" => "amd64".to_owned(),
        "aarch64" => "arm64".to_owned(),
        other => other.to_owned(),
    };
    let mut named = BTreeSet::from(["SHA256SUMS".to_owned()]);
    for member in &members() {
        let version = text(&member["version"]);
        named.extend(names(member, "deb").iter().map(|name| format!("{name}_{version}-1_{debian}.deb")));
        named.extend(names(member, "generate-rpm").iter().map(|name| format!("{name}-{version}-1.{}.rpm", machine())));
        if member["metadata"]["binstall"].is_object() {
            named.insert(fetched(member).rsplit('/').next().unwrap().to_owned());
        }
    }
    assert_eq!(named, made());
}

/// Where `cargo binstall` looks for a member.
fn fetched(member: &Value) -> String {
    filled(member, text(&member["metadata"]["binstall"]["pkg-url"]))
}

fn filled(member: &Value, template: &str) -> String {
    assert_eq!(text(&member["metadata"]["binstall"]["pkg-fmt"]), "tgz");
    let filled = template
        .replace("{ name }", text(&member["name"]))
        .replace("{ version }", text(&member["version"]))
        .replace("{ target }", &format!("{}-unknown-linux-gnu", machine()))
        .replace("{ archive-suffix }", ".tgz")
        .replace("{ binary-ext }", "");
    assert!(!filled.replace("{ repo }", "").replace("{ bin }", "").contains('{'), "{filled}");
    filled
}

/// The folder within a tarball has its name, and the programs lie in its `bin`.
#[test]
fn binstall_finds_the_programs_in_their_tarball() {
    let members = members();
    let with_programs: Vec<_> = members.iter().filter(|member| member["metadata"]["binstall"].is_object()).collect();
    assert_eq!(with_programs.len(), 2);
    for member in with_programs {
        let tarball = fetched(member);
        let folder = tarball.rsplit('/').next().unwrap().strip_suffix(".tgz").unwrap();
        let within = filled(member, text(&member["metadata"]["binstall"]["bin-dir"]));
        assert_eq!(within, format!("{folder}/bin/{{ bin }}"));
    }
}

/// Each program of a member is in its .deb package.
#[test]
fn every_program_is_packaged() {
    for member in members() {
        let assets = member["metadata"]["deb"]["assets"].as_array().unwrap();
        let packaged: BTreeSet<_> =
            assets.iter().filter_map(|row| row[0].as_str()?.strip_prefix("target/release/")).collect();
        let is_program = |target: &&Value| target["kind"][0] == "bin";
        let targets = member["targets"].as_array().unwrap().iter().filter(is_program);
        assert_eq!(packaged, targets.map(|target| text(&target["name"])).collect(), "{}", member["name"]);
    }
}

/// The pages that a package of the programs installs, each where it lies in the checkout. `kind` is `deb` or `generate-rpm`.
fn pages(programs: &Value, kind: &str) -> BTreeSet<PathBuf> {
    let mut pages = BTreeSet::new();
    for row in programs["metadata"][kind]["assets"].as_array().unwrap() {
        let part = |at: usize, name: &str| row[at].as_str().or(row[name].as_str()).unwrap_or_else(|| panic!("{row}"));
        let (source, to) = (part(0, "source"), part(1, "dest").trim_start_matches('/'));
        let Some(folder) = to.strip_prefix("usr/share/doc/shm-handoff/") else { continue };
        let (before, after) = source.strip_prefix(folder).and_then(|name| name.split_once('*')).unwrap_or_else(|| {
            panic!("{kind}: {source} goes to {to}: so its links lead elsewhere than in the checkout")
        });
        for entry in std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_file() && name.starts_with(before) && name.ends_with(after) {
                pages.insert(Path::new(folder).join(name));
            }
        }
    }
    pages
}

/// Where the links and pictures of a page lead to, without those to other machines.
fn links(page: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
    let begin = if page.extension().unwrap() == "md" { "](" } else { "href=\"" };
    let ends = [')', '"', '#', ' ', '\n'];
    let link = |rest: &str| rest.split(ends).next().unwrap().to_owned();
    let mut links: Vec<_> = read.split(begin).skip(1).map(link).collect();
    // (A folder has no dot: `hand-over` is source as well.)
    links.retain(|link| link.contains('.') && !link.contains(':'));
    links.iter().map(|link| plain(&page.parent().unwrap().join(link))).collect()
}

/// Without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(plain.pop(), "{} leads out of the checkout", path.display()),
            component => plain.push(component),
        }
    }
    plain
}

/// A link of an installed page to another page, a picture or the lab leads there. Others lead to the source, which is not packaged.
#[test]
fn the_links_between_installed_pages_lead_somewhere() {
    let members = members();
    let programs = members.iter().find(|member| member["name"] == "shm-handoff").unwrap();
    let installed = pages(programs, "deb");
    assert_eq!(installed, pages(programs, "generate-rpm"));
    let linked: Vec<_> = installed
        .iter()
        .filter(|page| page.extension().is_some_and(|extension| extension == "md" || extension == "html"))
        .flat_map(|page| links(page).into_iter().map(move |to| (page, to)))
        .filter(|(_, to)| to.starts_with("docs"))
        .collect();
    assert!(linked.len() > 100, "only {} links are found", linked.len());
    assert!(linked.iter().any(|(_, to)| to.starts_with("docs/lab")));
    let broken: Vec<_> = linked.iter().filter(|(_, to)| !installed.contains(to)).collect();
    assert!(broken.is_empty(), "these links of installed pages lead nowhere: {broken:?}");
    // What rpm does not remove by itself.
    let removes = text(&programs["metadata"]["generate-rpm"]["post_uninstall_script"]);
    let folders: BTreeSet<_> = installed.iter().map(|page| page.parent().unwrap()).collect();
    for folder in folders {
        let folder = Path::new("/usr/share/doc/shm-handoff").join(folder);
        let named = removes.split(' ').any(|word| Path::new(word) == folder);
        assert!(named, "{} stays behind", folder.display());
    }
}

/// dpkg-shlibdeps would name the glibc of the machine that makes the packages.
#[test]
fn the_glibc_that_is_built_for_is_the_one_that_is_asked_for() {
    let script = std::fs::read_to_string(Path::new(ROOT).join("ci/release.sh")).unwrap();
    let built_for = script.lines().find_map(|line| line.strip_prefix("glibc=")).unwrap();
    for member in members() {
        let deb = &member["metadata"]["deb"];
        let depends =
            if names(&member, "deb").len() == 1 { &deb["depends"] } else { &deb["variants"]["runtime"]["depends"] };
        assert_eq!(depends, &format!("libc6 (>= {built_for})"), "{}", member["name"]);
    }
}

/// What cargo-deb and cargo-generate-rpm can't derive is written out, and follows the version and the soname.
#[test]
fn written_versions_are_the_version() {
    let members = members();
    let library = members.iter().find(|member| member["name"] == "shm-handoff-capi").unwrap();
    let version = text(&library["version"]);
    assert!(members.iter().all(|member| member["version"] == version), "all members are of one version");
    let install = std::fs::read_to_string(Path::new(ROOT).join("capi/install.sh")).unwrap();
    let soname = install.lines().find_map(|line| line.strip_prefix("soname=libshm_handoff.so.")).unwrap();
    let runtime = format!("libshm-handoff{soname}");
    assert_eq!(names(library, "deb"), ["libshm-handoff-dev", &runtime]);
    let depends = text(&library["metadata"]["deb"]["depends"]);
    assert!(depends.contains(&format!("{runtime} (= {version}-1)")), "{depends}");
    assert_eq!(library["metadata"]["generate-rpm"]["requires"]["libshm-handoff"], format!("= {version}"));
    let provides = &library["metadata"]["generate-rpm"]["variants"]["runtime"]["provides"];
    assert!(provides[format!("libshm_handoff.so.{soname}()(64bit)")].is_string(), "{provides}");
    let cited = std::fs::read_to_string(Path::new(ROOT).join("CITATION.cff")).unwrap();
    assert!(cited.contains(&format!("\nversion: {version}\n")), "CITATION.cff");
    for page in ["docs/packages.md", "docs/packages.zh-CN.md"] {
        let page = std::fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
        let words = page.split([' ', '\n', '`']).map(|word| word.trim_start_matches("./"));
        let is_file = |word: &&str| {
            word.contains("shm-handoff") && [".deb", ".rpm", ".tgz"].iter().any(|end| word.ends_with(end))
        };
        let files = words.filter(is_file);
        let files: BTreeSet<_> = files.map(str::to_owned).collect();
        assert!(files.len() > 6, "{files:?}");
        let made = made();
        // The page names them for one machine.
        if machine() == "x86_64" {
            assert!(files.is_subset(&made), "{files:?}");
        }
    }
}
