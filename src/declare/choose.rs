//! Which members are the flag and the payload, and whether that can be.

use super::declared::{Declared, Flag, FlagType, Payload, Size, Span};
use super::fault::{Fault, Place, fault};
use super::place::MOST_BYTES;
use super::terms::{Part, Terms, Where};
use super::types::{Kind, Member};

/// What a flag is called; of several, the first name counts. Behind `written` more may follow.
const FLAG_NAMES: [&str; 5] = ["written", "flag", "ready", "full", "complete"];

/// The struct that was declared.
pub(super) struct Subject<'s> {
    pub(super) name: Option<&'s str>,
    pub(super) place: Place,
    pub(super) size: usize,
    pub(super) members: &'s [Member],
    /// Where each of them is declared.
    pub(super) places: &'s [Place],
}

/// A span, and where it comes from.
#[derive(Clone, Copy)]
struct Piece {
    span: Span,
    place: Place,
}

/// What terms and members say together. `end`: where the text ends.
pub(super) fn choose(subject: Option<&Subject<'_>>, terms: &Terms<'_>, end: Place) -> Result<Declared, Fault> {
    let members = subject.map_or(&[][..], |subject| subject.members);
    let places = subject.map_or(&[][..], |subject| subject.places);
    let choice = Choice { members, places, place: subject.map_or(end, |subject| subject.place) };
    let (flag, flag_place, why_flag) = choice.flag(terms)?;
    let flag_piece = Piece { span: Span { offset: flag.offset, len: flag.of.bytes() }, place: flag_place };
    let reply = choice.pieces(&terms.reply)?;
    let (is_text, pieces, why_payload) = choice.payload(terms, flag_piece, &reply)?;

    let all = || [flag_piece].into_iter().chain(pieces.iter().copied()).chain(reply.iter().copied());
    let struct_size =
        subject.map_or_else(|| all().map(|piece| piece.span.end()).max().unwrap_or(0), |subject| subject.size);
    let at = terms.at.map_or(0, |(at, _)| at);
    let least = at.checked_add(struct_size).filter(|least| *least <= MOST_BYTES);
    let size = match (terms.size, least) {
        (Some((size, _)), _) => size,
        (None, Some(least)) => Size::Exactly(least),
        (None, None) => {
            return Err(fault(terms.at.map_or(end, |(_, place)| place), "no memory is so large", "check `at`"));
        }
    };
    if let Some((_, place)) = terms.size.filter(|(size, _)| least.is_none_or(|least| least > size.bytes())) {
        let message =
            format!("the struct has {struct_size} bytes and begins at {at}: it does not end within the segment");
        return Err(fault(
            place,
            message,
            "the segment's size counts from its beginning, what lies before the struct included",
        ));
    }
    let room = size.bytes() - at;
    if let Some(piece) = all().find(|piece| piece.span.end() > room) {
        let message =
            format!("this ends at byte {}, and the segment has {room} from where the struct begins", piece.span.end());
        return Err(fault(piece.place, message, "say how large the segment is: size=, or size>="));
    }
    disjoint([flag_piece].into_iter().chain(pieces.iter().copied()), "an earlier one, or the flag")?;
    disjoint([flag_piece].into_iter().chain(reply.iter().copied()), "an earlier one, or the flag")?;
    if !(at + flag.offset).is_multiple_of(flag.of.bytes()) {
        let message =
            format!("the flag lies at byte {}, which is no multiple of {}", at + flag.offset, flag.of.bytes());
        return Err(fault(flag_place, message, "it is loaded and stored at once, which takes an aligned one"));
    }
    let spans = merged(&pieces);
    let payload = if is_text { Payload::Text(spans[0]) } else { Payload::Data(spans) };
    Ok(Declared {
        name: subject.and_then(|subject| subject.name).map(str::to_owned),
        members: members.to_vec(),
        struct_size,
        size,
        at,
        flag,
        payload,
        reply: merged(&reply),
        why_flag,
        why_payload,
    })
}

/// That none of them lies where another one does.
fn disjoint(pieces: impl Iterator<Item = Piece>, what: &str) -> Result<(), Fault> {
    let mut pieces: Vec<_> = pieces.collect();
    pieces.sort_by_key(|piece| piece.span.offset);
    for pair in pieces.windows(2) {
        if pair[0].span.end() > pair[1].span.offset {
            // The one that was named later.
            let later = if pair[0].place.start > pair[1].place.start { pair[0] } else { pair[1] };
            return Err(fault(later.place, format!("this lies over {what}"), "name each byte once"));
        }
    }
    Ok(())
}

/// With those that follow each other as one.
fn merged(pieces: &[Piece]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for Piece { span, .. } in pieces {
        match spans.last_mut() {
            Some(last) if last.end() == span.offset => last.len += span.len,
            _ => spans.push(*span),
        }
    }
    spans
}

struct Choice<'s> {
    members: &'s [Member],
    places: &'s [Place],
    place: Place,
}

impl Choice<'_> {
    fn flag(&self, terms: &Terms<'_>) -> Result<(Flag, Place, String), Fault> {
        let (of, offset, place, why) = match &terms.flag {
            Some(Part { place, lies: Where::Flag(of, offset) }) => (*of, *offset, *place, "as `flag=` says".to_owned()),
            Some(part) => {
                let (member, offset) = self.find(part)?;
                let of = flag_type(member).ok_or_else(|| unfit(member, part.place))?;
                (of, offset, part.place, format!("`{}`, as `flag=` says", member.name))
            }
            None => {
                let at = self.flag_by_name()?;
                let of = flag_type(&self.members[at]).ok_or_else(|| unfit(&self.members[at], self.places[at]))?;
                (of, self.members[at].offset, self.places[at], format!("`{}`, by its name", self.members[at].name))
            }
        };
        let (least, most) = of.range();
        let empty = terms.empty.map_or(0, |(empty, _)| empty);
        let full = terms.full.map_or(1, |(full, _)| full);
        for (value, given) in [(empty, terms.empty), (full, terms.full)] {
            if value < least || value > most {
                let message = format!("a flag of the type {of} can't be {value}");
                return Err(fault(given.map_or(place, |(_, at)| at), message, format!("it is from {least} to {most}")));
            }
        }
        if let Some((_, at)) = terms.full.or(terms.empty).filter(|_| empty == full) {
            let hint = "a flag that is empty has another value than one that is full: empty=0,full=1";
            return Err(fault(at, format!("{full} would stand for both"), hint));
        }
        Ok((Flag { of, offset, empty, full }, place, why))
    }

    /// The member that is called as flags are; the first of them that can be one.
    fn flag_by_name(&self) -> Result<usize, Fault> {
        let fit = called_a_flag(self.members).find(|at| flag_type(&self.members[*at]).is_some());
        fit.or_else(|| called_a_flag(self.members).next()).ok_or_else(|| {
            let names = FLAG_NAMES.join(", ").replace("written", "written…");
            let message = format!("no member is the flag by its name ({names})");
            fault(self.place, message, "say which one is: flag=NAME, or flag=i32@0 by its place")
        })
    }

    fn payload(&self, terms: &Terms<'_>, flag: Piece, reply: &[Piece]) -> Result<(bool, Vec<Piece>, String), Fault> {
        if let (Some(text), Some(data)) = (&terms.text, terms.data.first()) {
            let later = if text.place.start > data.place.start { text.place } else { data.place };
            return Err(fault(later, "a text and data are both given", "the flag hands over one of them"));
        }
        if let Some(part) = &terms.text {
            if let Where::Member(_) = part.lies {
                let (member, _) = self.find(part)?;
                if member.array.len() != 1 || member.size != member.array[0] {
                    return Err(fault(
                        part.place,
                        format!("`{}` is no array of char", member.name),
                        "data= carries any bytes",
                    ));
                }
            }
            return Ok((true, vec![self.piece(part)?], "as `text=` says".to_owned()));
        }
        if !terms.data.is_empty() {
            return Ok((false, self.pieces(&terms.data)?, "as `data=` says".to_owned()));
        }
        let is_over = |member: &Member, piece: &Piece| {
            member.offset < piece.span.end() && piece.span.offset < member.offset + member.size
        };
        let (answers, others): (Vec<_>, Vec<_>) = (0..self.members.len())
            .filter(|at| !is_over(&self.members[*at], &flag))
            .partition(|at| reply.iter().any(|piece| is_over(&self.members[*at], piece)));
        let texts: Vec<_> = others.iter().copied().filter(|at| is_text(&self.members[*at])).collect();
        if let [at] = texts[..] {
            let why = format!("`{}`, the one char array", self.members[at].name);
            return Ok((true, vec![self.member_piece(at)], why));
        }
        // What lies beside the flag within a member would be left out without a word.
        if let Some(at) = (0..self.members.len())
            .find(|at| is_over(&self.members[*at], &flag) && self.members[*at].size > flag.span.len)
        {
            let message =
                format!("the flag lies within `{}`, and what else lies there is left out", self.members[at].name);
            let hint = "say what is handed over: text=NAME, data=NAME.NAME+NAME, or by its place, data=8@4";
            return Err(fault(flag.place, message, hint));
        }
        for &at in &answers {
            let member = &self.members[at];
            let within = |piece: &&Piece| is_over(member, piece);
            let covered: usize = reply
                .iter()
                .filter(within)
                .map(|Piece { span, .. }| span.end().min(member.offset + member.size) - span.offset.max(member.offset))
                .sum();
            if let Some(piece) = reply.iter().find(within).filter(|_| covered < member.size) {
                let message = format!("the answer lies within `{}`, and what else lies there is left out", member.name);
                let hint = "say what is handed over: text=NAME, data=NAME.NAME+NAME, or by its place, data=8@4";
                return Err(fault(piece.place, message, hint));
            }
        }
        let (own, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|at| self.members[*at].kind == Kind::Lock);
        for &at in &others {
            copyable(&self.members[at], self.members[at].offset, self.places[at])?;
        }
        if others.is_empty() {
            let hint = "say what is: text=NAME, data=NAME, or by its place, data=8@4";
            return Err(fault(self.place, "there is nothing to hand over beside the flag", hint));
        }
        let mut why = format!(
            "all other members, for there {}",
            match texts.len() {
                0 => "is no char array".to_owned(),
                many => format!("are {many} char arrays"),
            }
        );
        for (left_out, because) in [(own, "a lock, the programs' own"), (answers, "the answer")] {
            let names: Vec<_> = left_out.iter().map(|at| format!("`{}`", self.members[*at].name)).collect();
            if !names.is_empty() {
                why = format!("{why}; not {}: {because}", names.join(", "));
            }
        }
        Ok((false, others.into_iter().map(|at| self.member_piece(at)).collect(), why))
    }

    fn member_piece(&self, at: usize) -> Piece {
        let Member { offset, size: len, .. } = self.members[at];
        Piece { span: Span { offset, len }, place: self.places[at] }
    }

    fn pieces(&self, parts: &[Part<'_>]) -> Result<Vec<Piece>, Fault> {
        parts.iter().map(|part| self.piece(part)).collect()
    }

    fn piece(&self, part: &Part<'_>) -> Result<Piece, Fault> {
        let span = if let Where::Span(span) = part.lies {
            span
        } else {
            let (member, offset) = self.find(part)?;
            copyable(member, offset, part.place)?;
            Span { offset, len: member.size }
        };
        Ok(Piece { span, place: part.place })
    }

    /// The member that a term names, and its offset from the beginning of all.
    fn find(&self, part: &Part<'_>) -> Result<(&Member, usize), Fault> {
        let Where::Member(names) = &part.lies else { unreachable!("a place was looked at before") };
        let (mut among, mut from) = (self.members, 0);
        let mut found = None;
        for name in names {
            let Some(member) = among.iter().find(|member| member.name == *name) else {
                let known: Vec<_> =
                    among.iter().map(|member| &member.name[..]).filter(|name| !name.is_empty()).take(9).collect();
                let hint = match known[..] {
                    [] => "by its place, as in i32@0 and 2048@4: no struct is declared here".to_owned(),
                    _ => format!("the members there are {}", known.join(", ")),
                };
                return Err(fault(part.place, format!("there is no member `{name}`"), hint));
            };
            found = Some((member, from + member.offset));
            from += member.offset;
            among = match &member.kind {
                Kind::Struct(members) if member.array.is_empty() => members,
                _ => &[],
            };
        }
        Ok(found.expect("a name was read"))
    }
}

/// The members that are called as flags are, by the order of the names.
fn called_a_flag(members: &[Member]) -> impl Iterator<Item = usize> {
    let is_called = |member: &Member, name: &str| match name {
        "written" => member.name.starts_with(name),
        _ => member.name == name,
    };
    FLAG_NAMES.iter().flat_map(move |name| (0..members.len()).filter(move |at| is_called(&members[*at], name)))
}

/// Whether one of them is the flag by its name.
pub(super) fn has_flag(members: &[Member]) -> bool {
    called_a_flag(members).any(|at| flag_type(&members[at]).is_some())
}

/// What a member is as a flag, if it can be one.
fn flag_type(member: &Member) -> Option<FlagType> {
    let is_signed = match member.kind {
        Kind::Signed => true,
        Kind::Unsigned | Kind::Bool => false,
        Kind::Char => std::ffi::c_char::MIN != 0,
        _ => return None,
    };
    match (member.size, is_signed) {
        _ if !member.array.is_empty() => None,
        (4, true) => Some(FlagType::I32),
        (4, false) => Some(FlagType::U32),
        (1, true) => Some(FlagType::I8),
        (1, false) => Some(FlagType::U8),
        _ => None,
    }
}

fn unfit(member: &Member, place: Place) -> Fault {
    let message = format!("`{}` can't be the flag: it is no integer of 32 or 8 bits", member.name);
    fault(place, message, "say which member is: flag=NAME")
}

fn is_text(member: &Member) -> bool {
    member.kind == Kind::Char && member.array.len() == 1
}

/// That its bytes mean the same in another process.
fn copyable(member: &Member, offset: usize, place: Place) -> Result<(), Fault> {
    fn has(kind: &Kind, what: &Kind) -> bool {
        match kind {
            Kind::Struct(members) => members.iter().any(|member| has(&member.kind, what)),
            kind => kind == what,
        }
    }
    let name = if member.name.is_empty() { "this".to_owned() } else { format!("`{}`", member.name) };
    if has(&member.kind, &Kind::Lock) {
        let message = format!("{name} is a lock, or has one, and a copy of a lock is none");
        return Err(fault(place, message, "say what is to be handed over: data=NAME+NAME"));
    }
    if has(&member.kind, &Kind::Union) {
        let message = format!("{name} is a union, or has one, and which member of it counts can't be told");
        let hint = format!("say which bytes are handed over: data={}@{offset}", member.size);
        return Err(fault(place, message, hint));
    }
    Ok(())
}
