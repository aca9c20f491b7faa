//! `shm-handoff generate`: manual pages and completions, from the definitions that `--help`
//! is made of.

use super::args::{ReadArgs, WriteArgs};
use super::exit::{self, Exit, Failure, visible};
use super::{bench, ls, stdio, who};
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Command, CommandFactory, ValueHint};
use clap_complete::{Generator, Shell};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, roman};
use std::io;
use std::path::{Path, PathBuf};

const HELP: &str = "\
Makes in DIR what belongs in PREFIX/share:
  man/man1                          a page for each program and subcommand
  bash-completion/completions       for bash (with the package bash-completion)
  zsh/site-functions                for zsh
  fish/vendor_completions.d         for fish

Examples:
  shm-handoff generate ~/.local/share     for yourself
  sudo shm-handoff generate /usr/local/share

bash and fish look in ~/.local/share by themselves. For zsh, put the first line into
~/.zshrc before compinit. For man, put the second line into ~/.profile, unless
~/.local/bin is on your PATH:
  fpath=(~/.local/share/zsh/site-functions $fpath)
  export MANPATH=\"$HOME/.local/share/man:\"";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 3] = [("0", ""), ("1", ""), ("2", "")];

/// Makes the manual pages and the completions of all three programs
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(HELP, &EXIT))]
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

/// `tool` is `shm-handoff`, as it is defined.
pub(super) fn run(args: &Generate, tool: Command) -> Result<(), Failure> {
    write(&args.to, programs(tool))
}

/// Makes the pages and the completions of these programs, below `to`.
///
/// # Errors
/// A file can't be written.
pub fn write(to: &Path, programs: impl IntoIterator<Item = (&'static str, Command)>) -> Result<(), Failure> {
    let failed = |path: &Path, error: &io::Error| Failure::new(Exit::System, format!("{}: {error}", path.display()));
    let folder_for = |folder: &str| {
        let path = to.join(folder);
        std::fs::create_dir_all(&path).map_err(|error| failed(&path, &error)).map(|()| path)
    };
    let mut made = 0;
    for (name, command) in programs {
        let pages = folder_for("man/man1")?;
        made += write_pages(&command, &pages).map_err(|error| failed(&pages, &error))?;
        let command = completed(name, &command);
        for (shell, folder) in SHELLS {
            let folder = folder_for(folder)?;
            write_completions(shell, &command, &folder).map_err(|error| failed(&folder, &error))?;
            made += 1;
        }
    }
    stdio::show(&format!("{made} files in {}\n", visible(&to.display().to_string())))
}

fn programs(tool: Command) -> [(&'static str, Command); 3] {
    [("shmread", ReadArgs::command()), ("shmwrite", WriteArgs::command()), ("shm-handoff", tool)]
}

/// What stands in a script for the keys, or the ids, that there are when it runs.
const LIVE: [(&str, &str, &str); 2] = [("KEY", "THE_KEYS", "key"), ("ID", "THE_IDS", "id")];

/// The program as completions are to know it: without what is hidden, and with what can be
/// completed as possible values.
fn completed(name: &'static str, program: &Command) -> Command {
    let shown = program.get_subcommands().filter(|sub| !sub.is_hide_set());
    let shown = shown.map(|sub| with_values(sub.clone())).collect::<Vec<_>>();
    let bare = Command::new(name).version(env!("CARGO_PKG_VERSION"));
    with_values(bare.args(program.get_arguments().cloned())).subcommands(shown)
}

fn with_values(command: Command) -> Command {
    let columns = columns_of(command.get_name());
    // A race takes a key that nobody uses.
    let is_race = command.get_name() == "race";
    command.mut_args(|arg| {
        let name = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
        let live = LIVE.iter().find(|(value, ..)| name.as_deref() == Some(value) && !is_race);
        match live {
            Some((_, stand_in, _)) => arg.value_parser(PossibleValuesParser::new([*stand_in])),
            None if name.as_deref() == Some("COLUMNS") => arg.value_parser(PossibleValuesParser::new(columns.clone())),
            None => arg,
        }
    })
}

/// The headings of the table that a subcommand prints.
fn columns_of(subcommand: &str) -> Vec<&'static str> {
    match subcommand {
        "ls" => ls::columns(),
        "who" => who::columns(),
        "bench" => bench::columns(),
        _ => Vec::new(),
    }
}

fn write_completions(shell: Shell, program: &Command, folder: &Path) -> io::Result<()> {
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program.clone(), &name, &mut script);
    let mut script = String::from_utf8(script).map_err(io::Error::other)?;
    if shell == Shell::Bash {
        // A program with a hyphen in its name is called one thing where the words of the line
        // are read and another where they are completed: clap-rs/clap#6421.
        script = script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
    }
    if shell == Shell::Fish {
        script += &fish_positionals(program);
    }
    for (_, stand_in, column) in LIVE {
        let list = format!("shm-handoff ls --no-headings -o {column} 2>/dev/null");
        script = match shell {
            Shell::Bash => script.replace(stand_in, &format!("$({list})")),
            Shell::Zsh => script.replace(&format!("({stand_in})"), &format!("{{compadd -- $({list})}}")),
            _ => script.replace(&format!("{stand_in}\\t''"), stand_in).replace(stand_in, &format!("({list})")),
        };
    }
    // Of columns there can be several behind commas, and people type them in small letters.
    for columns in ["ls", "who", "bench"].map(columns_of) {
        let (found, list) = (columns.join(" "), columns.join(" ").to_lowercase());
        script = match shell {
            Shell::Bash => script.replace(
                &format!("compgen -W \"{found}\" -- \"${{cur}}\""),
                &format!("compgen -P \"${{cur%\"${{cur##*,}}\"}}\" -W \"{list}\" -- \"${{cur##*,}}\""),
            ),
            Shell::Zsh => script.replace(&format!(":({found})"), &format!(":_values -s , column {list}")),
            _ => script
                .replace(&format!("\"{}\\t''\"", columns.join("\\t''\n")), &format!("\"(__fish_append , {list})\"")),
        };
    }
    // bash-completion looks for a file with the name of the program.
    let file = if shell == Shell::Bash { name } else { shell.file_name(&name) };
    std::fs::write(folder.join(file), script)
}

/// Where a key can stand by itself: fish's script knows options alone.
fn fish_positionals(program: &Command) -> String {
    let name = program.get_name();
    let is_live = |arg: &clap::Arg| arg.is_positional() && arg.get_possible_values().iter().any(is_stand_in);
    let with_key = program.get_subcommands().filter(|sub| sub.get_arguments().any(is_live));
    let line = |sub: &Command| {
        let condition = format!("__fish_{}_using_subcommand {}", name.replace('-', "_"), sub.get_name());
        // Files are completed, too, where one can stand there.
        let is_file = |arg: &clap::Arg| {
            arg.is_positional() && matches!(arg.get_value_hint(), ValueHint::AnyPath | ValueHint::FilePath)
        };
        let only = if sub.get_arguments().any(is_file) { "" } else { " -f" };
        format!("complete -c {name} -n \"{condition}\"{only} -a \"{}\"\n", LIVE[0].1)
    };
    with_key.map(line).collect()
}

fn is_stand_in(value: &PossibleValue) -> bool {
    value.get_name() == LIVE[0].1
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
    let programs = ["shmread", "shmwrite", "shm-handoff"];
    let others = all.iter().map(title).filter(|name| !programs.contains(name));
    let others = programs.into_iter().chain(others).filter(|name| *name != title(page));
    let others: Vec<_> = others.map(|name| format!("{name}(1)")).collect();
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
