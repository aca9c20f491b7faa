//! What a `main` prints that returns an error of the library. There is no harness: this is such a `main`.

#[cfg(model)]
fn main() {}

#[cfg(not(model))]
use shm_handoff::{
    Error, Role,
    backend::Backend,
    backend::sysv::{Key, Options, SysV},
};

#[cfg(not(model))]
fn main() -> Result<(), Error> {
    const CHILD: &str = "SHM_HANDOFF_TEST_KEY";
    let asked = std::env::var(CHILD).ok();
    let number = asked.as_ref().map_or(std::process::id() << 8 | 0x29, |key| key.parse().expect("we have set it"));
    let options = Options::slot(Key::new(number)?);
    let mut reader = SysV::open(&options, Role::Reader)?;
    assert!(asked.is_none(), "the parent has the seat");
    let me = std::env::current_exe().expect("a test has a file");
    let child = std::process::Command::new(me).env(CHILD, number.to_string()).output().expect("a child starts");
    reader.remove()?;
    reader.leave()?;
    let parent = std::process::id();
    assert_eq!(
        (child.status.code(), String::from_utf8_lossy(&child.stderr).as_ref()),
        (
            Some(1),
            format!("Error: key {number} ({number:#x}): another reader is attached, pid {parent}; stop it, or use another key\n")
                .as_str()
        )
    );
    Ok(())
}
