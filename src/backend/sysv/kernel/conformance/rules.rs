//! The rules of System V segments and semaphore sets that the simulated kernel follows: for each its
//! number, what it says, and the manual page or the place in Linux that it stands for. The scenarios
//! of this suite try each of them on both kernels.

pub(super) const RULES: &[(u32, &str, &str)] = &[
    // Creation and look-up
    (1, "A look-up gives the id of the object at the key, or ENOENT.", "shmget(2), semget(2)"),
    (2, "IPC_CREAT makes an object where there is none, and finds it where there is one.", "shmget(2), semget(2)"),
    (
        3,
        "IPC_CREAT with IPC_EXCL is EEXIST where there is one, whatever its size and mode.",
        "shmget(2); ipc/util.c ipcget_public",
    ),
    (4, "IPC_PRIVATE makes a new object each time, which no look-up finds.", "shmget(2), semget(2)"),
    (
        5,
        "A look-up that asks for more than the object has is EINVAL, to the byte; asking for 0 is enough.",
        "shmget(2), semget(2); ipc/shm.c shm_more_checks",
    ),
    (
        6,
        "A look-up that asks for mode bits which the object does not grant the caller is EACCES; size comes first; asking for none finds it for everybody.",
        "shmget(2); ipc/util.c ipcget_public, ipcperms",
    ),
    (
        7,
        "The maker's effective user and group are the owner and the creator, and the mode is as asked, without the umask.",
        "shmget(2), semget(2), sysvipc(7)",
    ),
    (
        8,
        "An id is not given again at once: a new object at the key of a removed one has another id.",
        "ipc/util.c ipc_idr_alloc",
    ),
    (9, "A new segment of 0 bytes, or of more than SHMMAX, is EINVAL.", "shmget(2)"),
    (
        10,
        "One segment more than SHMMNI is ENOSPC; a removed one counts while it is attached.",
        "shmget(2); ipc/util.c ipc_addid",
    ),
    (
        11,
        "Pages beyond SHMALL are ENOSPC; each segment has whole pages, a removed one while it is attached.",
        "shmget(2); ipc/shm.c newseg",
    ),
    (
        12,
        "A new set of 0 semaphores is EINVAL; more than SEMMSL are EINVAL, for a look-up, too.",
        "semget(2); ipc/sem.c ksys_semget",
    ),
    (13, "One set more than SEMMNI is ENOSPC.", "semget(2)"),
    (14, "Semaphores of all sets beyond SEMMNS are ENOSPC.", "semget(2)"),
    (15, "/proc/sysvipc shows every object to everybody, whatever its mode.", "proc(5), sysvipc(7)"),
    // Segments
    (16, "The memory of a new segment is zero, and all attachments share it.", "shmget(2), shmat(2)"),
    (17, "shmat needs permission to read and to write, with SHM_RDONLY to read alone, else EACCES.", "shmat(2)"),
    (
        18,
        "The attach count is that of attachments, not of processes; shmdt takes one away, and is EINVAL for one that is none.",
        "shmat(2), shmctl(2)",
    ),
    (
        19,
        "The last pid is that of the last process that attached or detached, 0 before; the creator's stays.",
        "shmctl(2); ipc/shm.c shm_close",
    ),
    (20, "A segment that is removed with nobody attached is gone: its id is EINVAL, its key free.", "shmctl(2)"),
    (
        21,
        "A segment that is removed while attached has SHM_DEST and no key, and its id can still be looked at and attached; it goes with the last attachment.",
        "shmctl(2), shmat(2); ipc/shm.c do_shm_rmid",
    ),
    (22, "Removing it again while it is attached changes nothing.", "ipc/shm.c do_shm_rmid"),
    (23, "IPC_STAT of a segment needs permission to read, else EACCES.", "shmctl(2)"),
    (
        24,
        "Only the owner, the creator and root remove an object, else EPERM, whatever its mode.",
        "shmctl(2), semctl(2); ipc/util.c ipcctl_obtain_check",
    ),
    (
        25,
        "The end of a process detaches it from everything, however it ends, and counts as a detachment.",
        "shmat(2); ipc/shm.c shm_close",
    ),
    (26, "With shm_rmid_forced a segment goes with its last attachment.", "proc(5); ipc/shm.c shm_may_destroy"),
    (27, "With shm_rmid_forced what was never attached goes with its maker.", "proc(5); ipc/shm.c exit_shm"),
    (
        28,
        "Setting shm_rmid_forced removes what dead processes have left unattached, and nothing else.",
        "proc(5); ipc/shm.c shm_destroy_orphaned",
    ),
    // Semaphore sets
    (29, "A new set is all 0: values, pids and sem_otime.", "semget(2); ipc/sem.c newary"),
    (
        30,
        "sem_otime is not 0 from the first operation that is done, be it a wait for zero; one that fails and SETVAL leave it.",
        "semop(2), semctl(2); ipc/sem.c set_semotime",
    ),
    (31, "The steps of an operation are made in their order, and each sees what those before it did.", "semop(2)"),
    (
        32,
        "An operation is done whole or not at all: if any step fails, no value, pid or undo has changed.",
        "semop(2); ipc/sem.c perform_atomic_semop",
    ),
    (
        33,
        "A step of 0 at a value that is not, and one that would go below 0, wait; with its own IPC_NOWAIT that is EAGAIN.",
        "semop(2)",
    ),
    (34, "A step beyond 32767 is ERANGE.", "semop(2)"),
    (
        35,
        "No step is EINVAL, more steps than SEMOPM E2BIG, a semaphore that the set does not have EFBIG.",
        "semop(2); ipc/sem.c do_semtimedop",
    ),
    (
        36,
        "An operation that changes something needs permission to alter, one that waits for zeros to read, else EACCES.",
        "semop(2)",
    ),
    (
        37,
        "The call that makes a sleeper's operation possible does it in the same moment: a value that passes is not missed, and nobody comes in between.",
        "ipc/sem.c update_queue",
    ),
    (
        38,
        "Sleepers that wait for zeros alone come first, of them those with one step; then the others. Each kind is in the order of its coming.",
        "ipc/sem.c do_smart_update",
    ),
    (39, "A sleeper that still has to wait holds up neither younger sleepers nor newcomers.", "ipc/sem.c update_queue"),
    (
        40,
        "A sleeper's operation that fails when it is tried again wakes it with that error. One that waits for zeros alone is tried again only when an operation has left a semaphore of its steps at 0, or SETVAL or an undo any at all.",
        "ipc/sem.c update_queue, do_smart_wakeup_zero",
    ),
    (
        41,
        "A signal ends a sleep with EINTR: the operation is out of the queue, and nothing was done.",
        "semop(2), signal(7)",
    ),
    (
        42,
        "A sleep beyond the limit of semtimedop ends with EAGAIN; the operation is out of the queue, and nothing was done.",
        "semop(2)",
    ),
    (
        43,
        "A stop ends a sleep, too: it is out of the queue at once, and is EINTR when the process goes on.",
        "signal(7), \"Interruption of system calls by stop signals\"",
    ),
    (44, "A killed sleeper is out of the queue, and nothing was done.", "ipc/sem.c do_semtimedop"),
    (
        45,
        "Removal wakes the sleepers with EIDRM; afterwards the id is EINVAL, and the key is free.",
        "semop(2), semctl(2); ipc/sem.c freeary",
    ),
    (
        46,
        "SEM_UNDO: the end of a process, however it ends, takes back the sum of what it did to each semaphore.",
        "semop(2); ipc/sem.c exit_sem",
    ),
    (47, "An adjustment beyond -32768 or 32767 is ERANGE.", "semop(2); ipc/sem.c perform_atomic_semop"),
    (48, "An undo that would go below 0 or beyond 32767 stops there.", "semop(2), BUGS; ipc/sem.c exit_sem"),
    (
        49,
        "An undo sets the pid of the semaphores that it changes, and sem_otime, and wakes sleepers.",
        "ipc/sem.c exit_sem",
    ),
    (
        50,
        "The end of a process counts for sem_otime where it asked for SEM_UNDO in vain.",
        "ipc/sem.c find_alloc_undo, exit_sem",
    ),
    (51, "At the end of a process its attachments go first, its undo after them.", "kernel/exit.c do_exit"),
    (52, "SETVAL sets a value whatever it was, and drops the undo of that semaphore in every process.", "semctl(2)"),
    (53, "SETVAL wakes the sleepers whose operations are possible then.", "semctl(2); ipc/sem.c semctl_setval"),
    (
        54,
        "SETVAL below 0 or beyond 32767 is ERANGE, of a semaphore that the set does not have EINVAL; it needs permission to alter, else EACCES.",
        "semctl(2)",
    ),
    (
        55,
        "GETPID is the process of the last operation with any step on the semaphore, a wait for zero too, or of the last SETVAL or undo, also after its end.",
        "semctl(2); ipc/sem.c perform_atomic_semop",
    ),
    (56, "A woken sleeper's pid counts, not that of the process which woke it.", "ipc/sem.c update_queue"),
    (
        57,
        "GETALL, GETPID and IPC_STAT of a set need permission to read, else EACCES; GETPID of a semaphore that it does not have is EINVAL.",
        "semctl(2)",
    ),
    (
        58,
        "IPC_SET gives a set another owner, group and mode; the creator stays, and keeps the owner's rights.",
        "semctl(2), sysvipc(7); ipc/util.c ipc_update_perm",
    ),
    (59, "IPC_SET is for the owner, the creator and root, else EPERM.", "semctl(2)"),
    (60, "The undo of a set goes with it: a new one at the same key is not touched.", "ipc/sem.c freeary"),
    (
        61,
        "The mode's first three bits are the owner's and the creator's, the next their groups', the last everybody else's; no class falls back on another.",
        "sysvipc(7); ipc/util.c ipcperms",
    ),
    (62, "Root is refused nothing.", "capabilities(7)"),
];
