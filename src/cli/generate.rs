//! `shm-handoff generate`: manual pages and completions, from the definitions that `--help`
//! is made of.

use super::args::{ReadArgs, WriteArgs};
use super::exit::{Exit, Failure};
use super::stdio;
use super::tool::Tool;
use clap::{Args, Command, CommandFactory};
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, roman};
use std::io;
use std::path::{Path, PathBuf};

const HELP: &str = "\
Makes, in DIR, what belongs in PREFIX/share:
  man/man1                          a page for each program and subcommand
  bash-completion/completions       for bash (with the package bash-completion)
  zsh/site-functions                for zsh
  fish/vendor_completions.d         for fish

Examples:
  shm-handoff generate ~/.local/share     for yourself
  sudo shm-handoff generate /usr/local/share

Exit status:
  0  made
  1  a directory or a file can't be written
  2  usage";

/// Makes the manual pages and the completions of all three programs
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct Generate {
    /// Where to put them, such as ~/.local/share
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

/// Where a shell looks for completions, below share.
const SHELLS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions"),
    (Shell::Zsh, "zsh/site-functions"),
    (Shell::Fish, "fish/vendor_completions.d"),
];

pub(super) fn run(args: &Generate) -> Result<(), Failure> {
    let failed = |path: &Path, error: &io::Error| Failure::new(Exit::System, format!("{}: {error}", path.display()));
    let folder_for = |folder: &str| {
        let path = args.to.join(folder);
        std::fs::create_dir_all(&path).map_err(|error| failed(&path, &error)).map(|()| path)
    };
    let mut made = 0;
    for mut command in programs() {
        let pages = folder_for("man/man1")?;
        made += write_pages(&command, &pages).map_err(|error| failed(&pages, &error))?;
        for (shell, folder) in SHELLS {
            let folder = folder_for(folder)?;
            let write = |command: &mut Command| match shell {
                Shell::Bash => write_bash(command, &folder),
                _ => generate_to(shell, command, command.get_name().to_owned(), &folder).map(drop),
            };
            write(&mut command).map_err(|error| failed(&folder, &error))?;
            made += 1;
        }
    }
    stdio::show(&format!("{made} files in {}\n", args.to.display()))
}

fn programs() -> [Command; 3] {
    [ReadArgs::command(), WriteArgs::command(), Tool::command()]
}

/// bash-completion looks for a file with the name of the program.
fn write_bash(command: &mut Command, folder: &Path) -> io::Result<()> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(Shell::Bash, command, &name, &mut script);
    let mut script = String::from_utf8(script).map_err(io::Error::other)?;
    // A program with a hyphen in its name is called one thing where the words of the line
    // are read and another where they are completed: clap-rs/clap#6421.
    script = script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
    for hidden in command.get_subcommands().filter(|sub| sub.is_hide_set()) {
        script = script.replace(&format!(" {}", hidden.get_name()), "");
    }
    std::fs::write(folder.join(name), script)
}

/// A page for the program, and one for each subcommand that is shown; how many.
fn write_pages(program: &Command, folder: &Path) -> io::Result<usize> {
    let mut built = program.clone().disable_help_subcommand(true);
    built.build();
    let name = built.get_name().to_owned();
    let mut pages = vec![built.clone()];
    pages.extend(built.get_subcommands().filter(|sub| !sub.is_hide_set()).map(|sub| {
        // As git has it: the page of `shm-handoff ls` is shm-handoff-ls(1).
        let page = format!("{name}-{}", sub.get_name());
        let usage = format!("{name} {}", sub.get_name());
        sub.clone().display_name(page).bin_name(usage).version(env!("CARGO_PKG_VERSION"))
    }));
    for page in &pages {
        let mut text = Vec::new();
        write_page(page, &pages, &mut text)?;
        std::fs::write(folder.join(format!("{}.1", title(page))), text)?;
    }
    Ok(pages.len())
}

/// What a page is called.
fn title(page: &Command) -> &str {
    page.get_display_name().unwrap_or(page.get_name())
}

fn write_page(page: &Command, all: &[Command], out: &mut Vec<u8>) -> io::Result<()> {
    // The version is not a date: pages that are made again are the same.
    let man = Man::new(page.clone().after_help("").after_long_help(""))
        .title(title(page).to_uppercase())
        .manual("shm-handoff".to_owned())
        .source(format!("shm-handoff {}", env!("CARGO_PKG_VERSION")));
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if page.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    if let Some(help) = page.get_after_long_help().or_else(|| page.get_after_help()) {
        sections(&help.to_string()).to_writer(out)?;
    }
    let others = ["shmread", "shmwrite", "shm-handoff"].into_iter().map(str::to_owned);
    let others = others.chain(all.iter().skip(1).map(|page| title(page).to_owned()));
    let others: Vec<_> = others.filter(|name| name != title(page)).map(|name| format!("{name}(1)")).collect();
    let mut also = Roff::new();
    also.control("SH", ["SEE ALSO"]).text([roman(others.join(", ") + ", ipcs(1), ipcrm(1), sysvipc(7)")]);
    also.to_writer(out)
}

/// What stands behind the options: a line that ends in a colon begins a section, what is
/// indented is shown as it is, the rest is text.
fn sections(help: &str) -> Roff {
    let mut page = Roff::new();
    let mut paragraph: Vec<Inline> = Vec::new();
    let mut verbatim = false;
    let mut has_section = false;
    for line in help.lines() {
        let indented = line.starts_with(' ');
        if verbatim && !indented {
            page.control("fi", []).control("RE", []);
            verbatim = false;
        }
        let heading = line.strip_suffix(':').filter(|text| !indented && paragraph.is_empty() && text.len() < 40);
        if heading.is_some() || line.is_empty() || (indented && !verbatim) {
            flush(&mut page, &mut paragraph);
        }
        if let Some(heading) = heading {
            page.control("SH", [heading.to_uppercase().as_str()]);
            has_section = true;
        } else if indented {
            if !verbatim {
                page.control("RS", ["2"]).control("nf", []);
                verbatim = true;
            }
            page.text([roman(line.get(2..).unwrap_or(""))]);
        } else if !line.is_empty() {
            if !has_section {
                page.control("SH", ["NOTES"]);
                has_section = true;
            }
            paragraph.push(roman(line));
        }
    }
    if verbatim {
        page.control("fi", []).control("RE", []);
    }
    flush(&mut page, &mut paragraph);
    page
}

fn flush(page: &mut Roff, paragraph: &mut Vec<Inline>) {
    if !paragraph.is_empty() {
        page.control("PP", []);
        for line in paragraph.drain(..) {
            page.text([line]);
        }
    }
}
