//! The command line.

use std::path::PathBuf;

/// Measures shm-handoff beside other ways to hand messages over.
#[derive(Debug, clap::Parser)]
#[command(name = "peers")]
pub(crate) struct Args {
    /// About a minute, to see that it works: its figures say little
    #[arg(long)]
    pub(crate) quick: bool,

    /// Only these peers
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// Only this work: trip-8, oneway-64, mixed, wake, idle ...
    #[arg(long, value_name = "WORK,...", value_delimiter = ',')]
    pub(crate) work: Vec<String>,

    /// The longest that the whole run may take [default: 15; with --quick 1]
    #[arg(long, value_name = "MINUTES")]
    pub(crate) minutes: Option<f64>,

    /// Writes each measurement to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Writes the table into docs/benchmarks.md and the plot to docs/pictures/peers.svg
    #[arg(long)]
    pub(crate) write: bool,

    /// Instead: the cost of a message from 10^4 to 10^EXPONENT messages of 64 bytes
    #[arg(long, value_name = "EXPONENT", num_args = 0..=1, default_missing_value = "7", value_parser = clap::value_parser!(u32).range(4..=11))]
    pub(crate) soak: Option<u32>,

    /// Instead: a file of so many MiB through shmwrite and shmread, and through cat and cat
    #[arg(long, value_name = "MIB", num_args = 0..=1, default_missing_value = "1024")]
    pub(crate) files: Option<u64>,

    /// Where shmwrite and shmread are, for --files
    #[arg(long, value_name = "DIR", default_value = "target/release")]
    pub(crate) binaries: PathBuf,

    /// Lists the peers
    #[arg(long)]
    pub(crate) list: bool,
}
