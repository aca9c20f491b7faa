//! The command line of `record`, and what `replay` shares with it.

use crate::backend::sysv::KeySpec;
use crate::cli::args::{Common, When, capacity, duration, mode};
use crate::cli::exit;
use clap::{Args, ColorChoice};
use std::path::PathBuf;
use std::time::Duration;

pub(super) const PROGRAM: &str = "shm-handoff record";

const HELP: &str = "\
Examples:
  shm-handoff record 0x51 run.shmrec --onto 0x52
                                    between shmwrite -k 0x51 and shmread -k 0x52
  shm-handoff record 0x51 run.shmrec
                                    instead of the reader
  shm-handoff record 0x51 run.shmrec --onto 0x52 --follow
                                    outlive writers and readers that die
  shm-handoff replay run.shmrec     what is in it

Promises:
  A message is in the file before it is handed on, and handed on before it is released
  at KEY. From ring to ring, a `record` that was killed at any moment and is started again
  with the same command loses nothing, and nothing comes twice, in the file and at KEY2.
  Where KEY is a slot, the one message that lay there can come once more; where KEY2 is
  a slot, the one message that was sent last.
  A file that is in the page cache outlives the process, not the machine: --sync waits
  for the disk each time.

  A writer that dies ends the recording with exit 3, and the reader at KEY2 is told.
  A signal, --timeout or a full disk end it, too; that reader waits for the next
  `record` then.

JSON:
  {\"schema\":\"shm-handoff/record/1\"} with file, messages and bytes (recorded by this run),
  and ended (whether the end of the session was met). A later version may add fields; one
  that changes or drops any has another schema.";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 9] = [
    ("0", ": the session ended, and everything is in FILE and handed on"),
    ("1", "; or FILE can't be written, or is no recording"),
    ("2", ""),
    ("3", ": the writer at KEY, or the reader at KEY2"),
    ("4", ", or FILE and the rings tell different stories"),
    ("5", ": a message does not fit into KEY2; it stays at KEY"),
    ("6", ", or another process records into FILE"),
    ("124", ""),
    ("128+n", ""),
];

/// Records what goes through a channel, with the times
///
/// Reads KEY as its reader, appends each message to FILE, and hands it on to KEY2 as
/// that channel's writer. Without --onto it is the reader that the messages are for. A FILE
/// that is a recording already is continued.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(HELP, &EXIT))]
pub(in crate::cli) struct Record {
    /// Key of the segment that is read: decimal, 0x hexadecimal, or PATH:ID as ftok takes it
    #[arg(value_name = "KEY", allow_negative_numbers = true)]
    pub(super) key: KeySpec,

    /// The recording, which is made or continued
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,

    /// Key of the segment to which each message is handed on
    #[arg(long, value_name = "KEY2", allow_negative_numbers = true)]
    pub(super) onto: Option<KeySpec>,

    #[command(flatten)]
    pub(super) side: Side,

    /// The same of KEY2 [default: as KEY, or what is there]
    #[arg(long, value_name = "CAPACITY", num_args = 0..=1, require_equals = true, value_parser = capacity, requires = "onto")]
    #[allow(clippy::option_option)] // not given, given, given with a capacity
    pub(super) onto_ring: Option<Option<usize>>,

    /// The same of KEY2
    #[arg(long, value_name = "SPEC", conflicts_with = "onto_ring", requires = "onto")]
    pub(super) onto_layout: Option<String>,

    /// When the writer dies, or the reader at KEY2 has gone, wait for the next one
    #[arg(long)]
    pub(super) follow: bool,

    /// Wait until the disk has each message before it is handed on
    #[arg(long)]
    pub(super) sync: bool,

    /// At the end, print an object of JSON on stdout
    #[arg(long)]
    pub(super) json: bool,
}

/// What `record` and `replay` take of a channel.
#[derive(Debug, Clone, Args)]
pub(super) struct Side {
    /// A ring instead of the tutorial's slot, of CAPACITY bytes (64K to 1G) where it has
    /// to be made
    #[arg(long, value_name = "CAPACITY", num_args = 0..=1, require_equals = true, value_parser = capacity)]
    #[allow(clippy::option_option)] // not given, given, given with a capacity
    ring: Option<Option<usize>>,

    /// The struct in the segment: text[1024], a C declaration, FILE.h, or terms; see
    /// shm-handoff layout --help
    #[arg(long, value_name = "SPEC", conflicts_with = "ring")]
    layout: Option<String>,

    /// Permissions of what has to be made, octal
    #[arg(long, value_name = "OCTAL", default_value = "600", value_parser = mode)]
    mode: u32,

    /// Longest wait for the other side, such as 500ms or 5s [default: forever]
    #[arg(long, value_name = "DUR", value_parser = duration)]
    timeout: Option<Duration>,

    /// Use a segment or semaphore set that belongs to another user
    #[arg(long)]
    trust_owner: bool,

    /// Say nothing on stderr but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Show messages, bytes, rate and time on stderr: `auto` on a terminal, `always`
    /// elsewhere too, as a line a second
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    progress: Option<When>,

    /// Say on stderr what happens
    #[arg(short, long)]
    verbose: bool,
}

impl Side {
    /// As the two programs have it, for this key.
    pub(super) fn at(&self, key: KeySpec) -> Common {
        let Self { ring, layout, mode, timeout, trust_owner, quiet, progress, verbose } = self.clone();
        let (raw, color) = (false, ColorChoice::Auto);
        Common { key, mode, ring, layout, raw, timeout, trust_owner, quiet, progress, color, verbose }
    }
}
