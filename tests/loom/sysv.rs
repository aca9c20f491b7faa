//! The shipping System V backend on the simulated kernel.

use crate::explore::{Depth, actor, claim, main_is};
use crate::{MESSAGES, expect};
use shm_handoff::backend::sysv::simulated::{Kernel, waiting};
use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::{Reader, Writer};

/// **V1**
#[test]
fn v1_two_creators_meet() {
    claim("V1", "two creators meet", Depth::bound(2, 4_791), || {
        let kernel = Kernel::new();
        main_is("reader");
        let options = Options::slot(Key::new(1234).unwrap());
        let writer = kernel.process(1);
        let writer = actor("writer", move || {
            writer.run(|| {
                let mut writer = Writer::<SysV>::open(&options).unwrap();
                writer.send(MESSAGES[0]).unwrap();
                writer.end().unwrap();
                writer.close().unwrap();
            })
        });
        let reader = kernel.process(1);
        reader.run(|| {
            let mut reader = Reader::<SysV>::open(&options).unwrap();
            expect(&mut reader, &MESSAGES[..1]);
            reader.peek().unwrap().end_session().unwrap();
            reader.close().unwrap();
        });
        waiting(|| writer.join());
        assert_eq!(kernel.left(), (0, 0));
    });
}
