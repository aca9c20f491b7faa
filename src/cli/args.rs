//! The command line.

use super::exit;
use super::fields;
use super::stdio;
use crate::backend::memory::offsets::ring;
use crate::backend::sysv::KeySpec;
use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser, ValueParserFactory};
use clap::error::{ContextKind, ContextValue};
use clap::{Args, ColorChoice, Parser, ValueEnum};
use std::ffi::OsString;
use std::num::NonZeroU64;
use std::time::Duration;

/// What the exit codes of both sides stand for.
const EXIT: [(&str, &str); 9] = [
    ("0", ": the session ended, everything was sent, or the output of shmread was closed"),
    ("1", ""),
    ("2", ""),
    ("3", ""),
    ("4", ""),
    ("5", ""),
    ("6", ""),
    ("124", ""),
    ("128+n", ""),
];

/// What else the `--help` of both sides ends with.
const SIDES: &str = "\
Signals:
  SIGHUP, SIGINT, SIGTERM  the program leaves at once; messages that were sent and
                           not received stay for the next reader. A signal that was
                           ignored at the start, as under nohup, stays ignored. A
                           terminal that hangs up sends SIGHUP; if SIGHUP is ignored,
                           the hang-up closes the output and ends the input
  SIGSTOP, SIGCONT         the other side waits for a side that is stopped, and does
                           not take it for dead
  SIGKILL                  the kernel gives the seat back, and the other side says
                           that this one died

Log:
  With -v each side says on stderr, a line each with its time (UTC) and pid, which side
  made the segment, which peer came, how it went, and when the segment was replaced.
  The phrases stay as they are, for grep.

Files:
  A channel has no file. ipcs(1) shows the segment at KEY, and the semaphore set with
  the seats at KEY xor 0x6a3c97e1. With PATH:ID the file PATH has to exist, and both
  sides have to name the same file. ID is the number that a C program gives to ftok(3)
  (decimal, 0x hexadecimal, 0 octal; only its low 8 bits count), or one letter.";

pub const ENVIRONMENT: &str = "\
Environment:
  NO_COLOR        if it is set, no colour is used, except with --color=always
  CLICOLOR_FORCE  if it is set and not 0, colour is used without a terminal, too";

fn help(examples: &str) -> String {
    format!("{}\n\n{SIDES}\n\n{ENVIRONMENT}", exit::help(examples, &EXIT))
}

fn with_fields(examples: &str) -> String {
    format!("{examples}\n\n{}", fields::HELP)
}

/// What both sides take.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // flags of a command line
pub struct Common {
    /// Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it
    #[arg(short, long, value_name = "KEY", default_value = "1234", allow_negative_numbers = true)]
    pub(super) key: KeySpec,

    /// Permissions of a segment or semaphore set that has to be made, in octal
    #[arg(long, value_name = "OCTAL", default_value = "600", value_parser = mode)]
    pub(super) mode: u32,

    /// Use a ring instead of the tutorial's slot. A message may hold any bytes, up to a
    /// quarter of CAPACITY (64K to 1G). Without CAPACITY, take the ring that is there,
    /// or make one of 2M
    #[arg(long, value_name = "CAPACITY", num_args = 0..=1, require_equals = true, value_parser = capacity)]
    #[allow(clippy::option_option)] // not given, given, given with a capacity
    pub(super) ring: Option<Option<usize>>,

    /// The struct that the other program has, if it is not the tutorial's: text[1024], a C
    /// declaration, FILE.h, or terms; see shm-handoff layout --help
    #[arg(long, value_name = "SPEC", conflicts_with = "ring")]
    pub(super) layout: Option<String>,

    /// Carry bytes as they come through a ring, without regard to lines; a layout of
    /// records implies it
    #[arg(long)]
    pub(super) raw: bool,

    /// Longest wait for the other side, such as 500ms or 5s; waits for stdin and stdout
    /// do not count [default: forever]
    #[arg(long, value_name = "DUR", value_parser = duration)]
    pub timeout: Option<Duration>,

    /// Use a segment or semaphore set that belongs to another user
    #[arg(long)]
    pub(super) trust_owner: bool,

    /// Print nothing on stderr but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Show messages, bytes, rate and time on stderr, and the time left if the input is
    /// a file. `auto` does so on a terminal; `always` prints a line a second elsewhere, too
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    pub(super) progress: Option<When>,

    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorChoice,

    /// Say on stderr what happens
    #[arg(short, long)]
    pub verbose: bool,
}

/// A key on a command line: its path need not be UTF-8.
impl ValueParserFactory for KeySpec {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        ValueParser::new(OsStringValueParser::new().try_map(Self::try_from))
    }
}

pub(super) fn mode(given: &str) -> Result<u32, String> {
    let digits = given.strip_prefix("0o").unwrap_or(given);
    let mode = u32::from_str_radix(digits, 8).map_err(|_| "not an octal number".to_owned())?;
    if digits.starts_with('+') || mode & !0o666 != 0 {
        return Err("only the bits of 666 mean anything to a segment".to_owned());
    }
    if mode & 0o600 != 0o600 {
        return Err("without 600 the other side, run by you, could not attach".to_owned());
    }
    Ok(mode)
}

/// A time, as people write it.
pub(super) fn duration(given: &str) -> Result<Duration, String> {
    humantime::parse_duration(given).map_err(|error| match error {
        humantime::DurationError::UnknownUnit { unit, .. } if unit.is_empty() => {
            format!("a unit is missing, as in {given}s for seconds or {given}ms for milliseconds")
        }
        _ => "not a time, such as 500ms or 5s".to_owned(),
    })
}

fn at_least_one(given: &str) -> Result<NonZeroU64, String> {
    let number: u64 = given.parse().map_err(|_| "not a number of messages, such as 1")?;
    NonZeroU64::new(number)
        .ok_or_else(|| "the least is 1; without --count shmread prints until the session ends".to_owned())
}

/// A power of two, as people write it.
pub(super) fn capacity(given: &str) -> Result<usize, String> {
    let digits = given.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let shift = match &given[digits.len()..].to_ascii_lowercase()[..] {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        unit => return Err(format!("`{unit}` is no unit (K, M or G)")),
    };
    let number = digits.parse::<usize>().ok().filter(|_| !digits.starts_with('+'));
    number
        .ok_or_else(|| "not a number of bytes, such as 64K, 2M or 1G".to_owned())?
        .checked_mul(1 << shift)
        .filter(|bytes| ring::is_capacity(*bytes))
        .ok_or_else(|| "a ring has a power of two of bytes, from 64K to 1G".to_owned())
}

/// An option whose value stands behind an equals sign, or not at all.
struct Attached {
    option: &'static str,
    short: Option<&'static str>,
    /// What can be its value.
    takes: fn(&str) -> bool,
}

const ATTACHED: [Attached; 4] = [
    Attached { option: "--ring", short: None, takes: |word| capacity(word).is_ok() },
    Attached { option: "--onto-ring", short: None, takes: |word| capacity(word).is_ok() },
    Attached { option: "--progress", short: None, takes: |word| When::from_str(word, true).is_ok() },
    Attached { option: "--watch", short: Some("-w"), takes: |word| duration(word).is_ok() },
];

/// What is said of such an option.
const EQUALS_SIGN: &str = "the option takes its value with an equals sign";

/// A word of the command line behind an option that does not take it and looks as if it was to;
/// and both, as they are written together.
fn detached(args: impl IntoIterator<Item = OsString>) -> Option<(String, String)> {
    let words: Vec<_> = args.into_iter().skip(1).take_while(|word| word != "--").collect();
    words.windows(2).find_map(|words| {
        let [given, word] = [words[0].to_str()?, words[1].to_str()?];
        let is_meant = |known: &&Attached| (given == known.option || Some(given) == known.short) && (known.takes)(word);
        ATTACHED.iter().find(is_meant).map(|known| (word.to_owned(), format!("{}={word}", known.option)))
    })
}

/// Reads the command line, or says what is wrong with it and ends the process.
#[must_use]
pub fn parse<P: Parser>() -> P {
    P::try_parse().unwrap_or_else(|mut error| {
        if let Some((_, together)) = detached(std::env::args_os()).filter(|_| error.exit_code() != 0) {
            let tip = format!("{EQUALS_SIGN}: {together}");
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        }
        error.exit()
    })
}

/// When to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// On a terminal that is used for nothing else
    Auto,
    /// Always
    Always,
}

/// What to do with a line that is too long for the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Long {
    /// Stop with exit 5
    Error,
    /// Send it in pieces, which together equal it
    Split,
    /// Send its beginning, and a newline
    Truncate,
}

const WRITE_EXAMPLES: &str = "\
Examples:
  shmwrite                           type lines; `end` or Ctrl-D ends both sides
  shmwrite hello                     send one message, and leave the reader waiting
  seq 100000 | shmwrite -k 0x77      send each line, then end the session
  shmwrite --no-end < part1          send each line, and let another writer go on
  shmwrite --long split < long.txt   send lines over 2047 bytes in pieces
  shmwrite --ring < lines            through a ring: fast, and any bytes in a line
  shmwrite --raw < file              a file as it is, through a ring
  shmwrite --layout 'text[1024]'     lines of up to 1023 bytes, for such a C program
  shmwrite --layout shm.h < records  records of the length that the struct has

The other side may be shmread or, without a ring, the C tutorial's program. Without a
reader, shmwrite waits until one is there; with a ring it waits only for room.

A ring of at least twice the second-level cache (see lscpu) moves large messages
fastest. 2M is enough nearly everywhere.

If the layout has no text, standard input holds records of exactly its length, one
after the other. At the end of input shmwrite tells a reader of ours that the session
has ended.";

/// Hands lines to a reader through System V shared memory.
///
/// Sends each TEXT, or each line of standard input, as one message. At the end
/// of standard input, or at a line that is `end`, the session ends. A line
/// that holds a NUL, or begins with `end` without being `end` alone, can't be
/// sent, and shmwrite exits with 5. A ring carries any line; there `end` ends the
/// session only if it is typed at a prompt.
#[derive(Debug, Parser)]
#[command(name = "shmwrite", version, after_help = WRITE_EXAMPLES, after_long_help = help(&with_fields(WRITE_EXAMPLES)))]
pub(super) struct WriteArgs {
    #[command(flatten)]
    pub(super) common: Common,

    /// Leave the session open at the end of standard input
    #[arg(long)]
    pub(super) no_end: bool,

    /// Take JSON objects, one a line, with the fields of the declared struct, as
    /// shmread --format json prints them
    #[arg(long, requires = "layout", conflicts_with_all = ["raw", "long"])]
    pub(super) json: bool,

    /// Wait for the answer to each message and print its bytes, or its fields with --json.
    /// The layout says with reply=NAME where the answer lies
    #[arg(long, requires = "layout")]
    pub(super) reply: bool,

    /// What to do with a line that is too long. The limit is 2047 bytes in the slot, a
    /// quarter of a ring, and one byte less than a declared text
    #[arg(long, value_name = "POLICY", value_enum, default_value = "error", conflicts_with = "raw")]
    pub(super) long: Long,

    /// Messages, each sent with a newline; without any, the lines of standard input are sent
    #[arg(value_name = "TEXT", conflicts_with = "raw")]
    pub(super) texts: Vec<OsString>,
}

impl WriteArgs {
    /// What is sent as a message, and was hardly meant to be.
    pub(super) fn warn_of_texts(&self, program: &str) {
        let warn = |text: &str, hint: &str| {
            stdio::warn(program, format_args!("`{text}` is sent as a message"), Some(format_args!("{hint}")));
        };
        if let Some((text, together)) = detached(std::env::args_os()) {
            warn(&text, &format!("{EQUALS_SIGN}: {together}"));
        }
        let words = || std::env::args_os().take_while(|word| word != "--");
        if self.texts.iter().any(|text| text == "-") && words().any(|word| word == "-") {
            warn("-", "leave it out, and the lines of standard input are sent");
        }
    }
}

/// How messages are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// `You wrote: ` before each message, as the tutorial does
    Label,
    /// The messages and nothing else
    Plain,
    /// One object a line
    Json,
    /// Two hexadecimal digits a byte, one message a line
    Hex,
}

const READ_EXAMPLES: &str = "\
Examples:
  shmread                            print messages until the session ends
  shmread -k 0x77 > copy             a copy of what was sent (without a bare `end`)
  shmread --count 1 --timeout 5s     one message, the end of a session, or exit 124
  shmread --follow --format json     outlive writers that die; one object a line
  shmread --raw > file               bytes as shmwrite --raw sends them
  shmread --layout 'text[1024]'      from a C program whose text has 1024 bytes
  shmread --layout shm.h --format json   the fields of a struct by name

JSON: {\"seq\":1,\"bytes\":6,\"end\":false,\"text\":\"hello\\n\"}. A message that is not
UTF-8 has \"base64\" instead of \"text\".

The other side may be shmwrite or the C tutorial's program. Without --ring and --layout,
shmread takes the layout that it finds, or that the other side brings, such as the ring
of shmwrite --ring or the text of shmwrite --layout 'text[1024]'.

If the layout has no text, the records are written one after the other, as bytes.";

/// Prints what a writer hands over through System V shared memory.
///
/// A message is released only after the output took it, so the next reader finds
/// a message that could not be printed. The reader removes the segment when the
/// session ends.
///
/// If the output is closed (as in `shmread | head -n 1`), the session is not over.
/// shmread leaves silently, with exit 0, and the next reader goes on with the
/// messages that were not printed.
#[derive(Debug, Parser)]
#[command(name = "shmread", version, after_help = READ_EXAMPLES, after_long_help = help(&with_fields(READ_EXAMPLES)))]
pub(super) struct ReadArgs {
    #[command(flatten)]
    pub(super) common: Common,

    /// How to print a message [default: label on a terminal, else plain]
    #[arg(long, value_enum, conflicts_with = "raw")]
    pub(super) format: Option<Format>,

    /// Stop after this many messages, and leave the segment
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(super) count: Option<NonZeroU64>,

    /// When a writer dies, wait for the next one
    #[arg(long)]
    pub(super) follow: bool,

    /// Leave the segment where it is at the end of the session
    #[arg(long)]
    pub(super) keep: bool,
}
