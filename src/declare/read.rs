//! From a text to the layout that it declares.

use super::choose::{Subject, choose, has_flag};
use super::cursor::Cursor;
use super::declared::Declared;
use super::fault::{Error, Fault, GIVEN, Place, Source, fault};
use super::known::{Declarations, Definition};
use super::lex::{Token, tokens};
use super::preprocess::preprocess;
use super::terms::{Terms, is_term};
use super::types::{Kind, Member};
use std::str::FromStr;

/// So long may a text be.
const LONGEST_TEXT: usize = 256 << 10;

/// `text[1024]` stands for this.
const TUTORIAL: &str = "struct { int written; char ";

/// A SPEC that names a file with a declaration, `FILE.h` or `FILE.h:NAME`, with terms behind a comma.
///
/// ```
/// use shm_handoff::declare::HeaderFile;
/// let file = HeaderFile::of("shm_com.h:shared_st,size>=16384").expect("no declaration has such a form");
/// assert_eq!((file.path, file.name), ("shm_com.h", Some("shared_st")));
/// let declared = file.declares("#define LEN 512\nstruct shared_st { int written; char text[LEN]; };")?;
/// assert_eq!(declared.to_string(), "flag=i32@0,text=512@4,size>=16384");
/// assert!(HeaderFile::of("text[1024]").is_none() && HeaderFile::of("flag=i32@0,text=2048@4").is_none());
/// # Ok::<(), shm_handoff::declare::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeaderFile<'s> {
    /// Where it is.
    pub path: &'s str,
    /// Which of its structs is meant; `None`: it has one that is no part of another.
    pub name: Option<&'s str>,
    spec: &'s str,
    /// Where its terms begin.
    terms_at: usize,
}

impl<'s> HeaderFile<'s> {
    /// The file that a SPEC names, if it does.
    #[must_use]
    pub fn of(spec: &'s str) -> Option<Self> {
        let (file, _) = spec.split_once(',').unwrap_or((spec, ""));
        let terms_at = file.len();
        let file = file.trim();
        if file.is_empty() || file.contains(['{', '}', '[', '=', ';', '\n']) {
            return None;
        }
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let (path, name) = match file.rsplit_once(':') {
            Some((path, name)) if !path.is_empty() && is_name(name) => (path, Some(name)),
            _ => (file, None),
        };
        Some(Self { path, name, spec, terms_at })
    }

    /// What it declares; `text` is what the file holds.
    ///
    /// # Errors
    /// [`Error`], which points at the place.
    pub fn declares(&self, text: &str) -> Result<Declared, Error> {
        let (before, terms) = self.spec.split_at(self.terms_at);
        let both = format!("{text}\n{terms}");
        read(&Source { text: &both, origin: self.path, before, terms_at: text.len() + 1 }, self.name)
    }
}

/// A SPEC that names no file.
impl FromStr for Declared {
    type Err = Error;

    fn from_str(spec: &str) -> Result<Self, Error> {
        read(&Source { text: spec, origin: GIVEN, before: "", terms_at: usize::MAX }, None)
    }
}

fn read(source: &Source<'_>, name: Option<&str>) -> Result<Declared, Error> {
    declared(source, name).map_err(|fault| source.error(fault))
}

fn declared(source: &Source<'_>, name: Option<&str>) -> Result<Declared, Fault> {
    let text = source.text;
    let len = text.trim_end().len();
    let end = Place { start: len, end: len };
    if text.len() > LONGEST_TEXT {
        let message = format!("a text of more than {LONGEST_TEXT} bytes");
        return Err(fault(
            Place { start: 0, end: 0 },
            message,
            "copy the struct, and what it needs, into a file of its own",
        ));
    }
    let tokens = preprocess(&tokens(text)?, end)?;
    let (declaration, terms) = tokens.split_at(terms_at(&tokens, source));
    let mut known = Declarations::default();
    if is_tutorial(declaration) {
        let around = tokens_of_the_tutorial(declaration)?;
        known.read(&mut Cursor::new(&around, end))?;
    } else {
        known.read(&mut Cursor::new(declaration, end))?;
    }
    let terms = match terms {
        [] => Terms::default(),
        [comma, terms @ ..] if comma.is(",") => Terms::read(&mut Cursor::new(terms, end), &mut known)?,
        terms => Terms::read(&mut Cursor::new(terms, end), &mut known)?,
    };
    let subject = match declaration.is_empty() {
        true if terms.flag.is_none() => {
            return Err(fault(
                end,
                "a SPEC declares a struct, or says where the flag is",
                "such as text[1024], or flag=i32@0,text=1024@4",
            ));
        }
        true => None,
        false => Some(chosen(&known.structs, name, declaration)?),
    };
    choose(subject.as_ref(), &terms, end)
}

/// The tutorial's struct around a text of another length.
fn tokens_of_the_tutorial<'t>(text: &[Token<'t>]) -> Result<Vec<Token<'t>>, Fault> {
    let place = text[0].place;
    let mut around: Vec<_> = tokens(TUTORIAL)?.into_iter().map(|token| Token { place, ..token }).collect();
    around.extend(text);
    around.extend(tokens(";}")?.into_iter().map(|token| Token { place, ..token }));
    Ok(around)
}

/// Where the terms begin: at the comma before them, or with the first token; the end if there are none.
fn terms_at(tokens: &[Token<'_>], source: &Source<'_>) -> usize {
    if source.terms_at < source.text.len() {
        return tokens.iter().position(|token| token.place.start >= source.terms_at).unwrap_or(tokens.len());
    }
    if is_term(tokens) {
        return 0;
    }
    let mut open = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        // One between names of variables has a name on both sides of it, and no equals sign.
        let ends_declaration = || matches!(tokens[at - 1].text, "}" | ";") || is_tutorial(tokens);
        match token.text {
            "(" | "[" | "{" => open += 1,
            ")" | "]" | "}" => open = open.saturating_sub(1),
            "," if open == 0 && at > 0 && (ends_declaration() || is_term(&tokens[at + 1..])) => return at,
            _ => {}
        }
    }
    tokens.len()
}

fn is_tutorial(declaration: &[Token<'_>]) -> bool {
    matches!(declaration, [text, open, ..] if text.is("text") && open.is("["))
}

/// The struct that is meant.
fn chosen<'k>(
    structs: &'k [Definition<'_>],
    name: Option<&str>,
    declaration: &[Token<'_>],
) -> Result<Subject<'k>, Fault> {
    let place = declaration[0].place;
    let known: Vec<_> = structs.iter().filter_map(|one| one.names.last().copied()).take(9).collect();
    let hint = || format!("its structs: {}", known.join(", "));
    // A part of another one is not what is meant, nor is one without a flag beside one that has it.
    let whole: Vec<_> = structs.iter().filter(|one| !one.is_part).collect();
    let flagged: Vec<_> = whole.iter().copied().filter(|one| has_flag(members(one))).collect();
    let found = match (name, &whole[..], &flagged[..]) {
        (Some(name), ..) => structs
            .iter()
            .find(|one| one.names.contains(&name))
            .ok_or_else(|| fault(place, format!("no struct `{name}` is declared here"), hint()))?,
        (None, [one], _) | (None, _, [one]) => *one,
        (None, [], _) => {
            let hint = "such as 'struct { int written; char text[1024]; }', or text[1024]";
            return Err(fault(place, "no struct is declared here", hint));
        }
        (None, [.., last], _) => {
            let hint = format!("say which one is meant, as FILE.h:NAME; {}", hint());
            return Err(fault(last.place, "more than one struct is declared", hint));
        }
    };
    let Definition { names, place, of, places, .. } = found;
    Ok(Subject { name: names.last().copied(), place: *place, size: of.size, members: members(found), places })
}

fn members<'k>(of: &'k Definition<'_>) -> &'k [Member] {
    match &of.of.kind {
        Kind::Struct(members) => members,
        _ => &[],
    }
}
