//! A declared layout: where the flag lies, and what is handed over by it.

use super::types::Member;
use std::fmt;

/// A range of bytes, counted from the beginning of the struct.
///
/// ```
/// use shm_handoff::declare::Span;
/// assert_eq!(Span { offset: 4, len: 2048 }.to_string(), "2048@4");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Of its first byte.
    pub offset: usize,
    /// In bytes, one at least.
    pub len: usize,
}

impl Span {
    /// Of the first byte behind it.
    pub(super) fn end(self) -> usize {
        self.offset + self.len
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.len, self.offset)
    }
}

/// The integer that a flag is.
///
/// ```
/// use shm_handoff::declare::FlagType;
/// assert_eq!((FlagType::U8.to_string(), FlagType::U8.bytes(), FlagType::I32.bytes()), ("u8".to_owned(), 1, 4));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlagType {
    /// 32 bits with a sign, such as an `int`.
    I32,
    /// 32 bits.
    U32,
    /// 8 bits with a sign.
    I8,
    /// 8 bits, such as a `bool`.
    U8,
}

impl FlagType {
    pub(super) const ALL: [Self; 4] = [Self::I32, Self::U32, Self::I8, Self::U8];

    /// How many bytes it has.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::I32 | Self::U32 => 4,
            Self::I8 | Self::U8 => 1,
        }
    }

    /// What it can be.
    pub(super) fn range(self) -> (i64, i64) {
        match self {
            Self::I32 => (i32::MIN.into(), i32::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::I8 => (i8::MIN.into(), i8::MAX.into()),
            Self::U8 => (0, u8::MAX.into()),
        }
    }
}

impl fmt::Display for FlagType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::U32 => "u32",
            Self::I8 => "i8",
            Self::U8 => "u8",
        })
    }
}

/// The flag by which the memory is handed over.
///
/// ```
/// use shm_handoff::declare::{Declared, Flag, FlagType};
/// let declared: Declared = "struct { char text[60]; int ready; },empty=-1,full=7".parse()?;
/// let Flag { of, offset, empty, full, .. } = declared.flag();
/// assert_eq!((of, offset, empty, full), (FlagType::I32, 60, -1, 7));
/// # Ok::<(), shm_handoff::declare::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flag {
    /// Its type.
    pub of: FlagType,
    /// From the beginning of the struct.
    pub offset: usize,
    /// At this value the writer may write.
    pub empty: i64,
    /// This value a writer of ours publishes; a reader takes any but `empty` for it.
    pub full: i64,
}

/// What the flag hands over.
///
/// ```
/// use shm_handoff::declare::{Declared, Payload, Span};
/// let text: Declared = "text[1024]".parse()?;
/// assert_eq!(text.payload(), &Payload::Text(Span { offset: 4, len: 1024 }));
/// let data: Declared = "struct { int mat[9]; int flag; double angle; }".parse()?;
/// assert_eq!(data.payload(), &Payload::Data(vec![Span { offset: 0, len: 36 }, Span { offset: 40, len: 8 }]));
/// # Ok::<(), shm_handoff::declare::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// One C string, by the rules of the tutorial.
    Text(Span),
    /// Records of one length: these bytes, one span behind the other.
    Data(Vec<Span>),
}

impl Payload {
    /// Its spans; a text has one.
    pub(crate) fn spans(&self) -> &[Span] {
        match self {
            Self::Text(span) => std::slice::from_ref(span),
            Self::Data(spans) => spans,
        }
    }
}

/// How large the segment is.
///
/// ```
/// use shm_handoff::declare::{Declared, Size};
/// assert_eq!("text[16]".parse::<Declared>()?.size(), Size::Exactly(20));
/// let at_least = "text[16],size>=4096".parse::<Declared>()?.size();
/// assert_eq!((at_least, at_least.bytes()), (Size::AtLeast(4096), 4096));
/// # Ok::<(), shm_handoff::declare::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// So many bytes, and no other number.
    Exactly(usize),
    /// So many bytes or more.
    AtLeast(usize),
}

impl Size {
    /// The least that it can be; this is what is made where nothing is.
    #[must_use]
    pub fn bytes(self) -> usize {
        let (Self::Exactly(bytes) | Self::AtLeast(bytes)) = self;
        bytes
    }
}

/// A layout that a SPEC declares. Its `Display` is the terse form, which declares the same one.
///
/// ```
/// use shm_handoff::declare::Declared;
/// let declared: Declared = "struct { int written; char text[2048]; },size>=16384,at=4096".parse()?;
/// assert_eq!(declared.to_string(), "flag=i32@0,text=2048@4,size>=16384,at=4096");
/// let terse: Declared = declared.to_string().parse()?;
/// assert_eq!((terse.to_string(), terse.hash()), (declared.to_string(), declared.hash()));
/// # Ok::<(), shm_handoff::declare::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Declared {
    pub(super) name: Option<String>,
    pub(super) members: Vec<Member>,
    pub(super) struct_size: usize,
    pub(super) size: Size,
    pub(super) at: usize,
    pub(super) flag: Flag,
    pub(super) payload: Payload,
    pub(super) reply: Vec<Span>,
    pub(super) why_flag: String,
    pub(super) why_payload: String,
}

impl Declared {
    /// The struct's name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The struct's members, in their order; none where the SPEC was terse.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How many bytes the struct has.
    ///
    /// ```
    /// # use shm_handoff::declare::Declared;
    /// let declared: Declared = "struct shared { char written; double x; },size=64".parse()?;
    /// assert_eq!((declared.struct_size(), declared.name()), (16, Some("shared")));
    /// # Ok::<(), shm_handoff::declare::Error>(())
    /// ```
    #[must_use]
    pub fn struct_size(&self) -> usize {
        self.struct_size
    }

    /// How many bytes the segment has.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Where in the segment the struct begins.
    ///
    /// ```
    /// # use shm_handoff::declare::{Declared, Size};
    /// let second: Declared = "text[60],at=64".parse()?;
    /// assert_eq!((second.at(), second.size()), (64, Size::Exactly(128)));
    /// # Ok::<(), shm_handoff::declare::Error>(())
    /// ```
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// The flag.
    #[must_use]
    pub fn flag(&self) -> Flag {
        self.flag
    }

    /// What is handed over.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// What the reader may write before it releases.
    ///
    /// ```
    /// # use shm_handoff::declare::{Declared, Payload, Span};
    /// let declared: Declared = "struct { int written; float image[100]; int left, right; },reply=left+right".parse()?;
    /// assert_eq!(declared.reply(), [Span { offset: 404, len: 8 }]);
    /// assert_eq!(declared.payload(), &Payload::Data(vec![Span { offset: 4, len: 400 }]), "the rest");
    /// # Ok::<(), shm_handoff::declare::Error>(())
    /// ```
    #[must_use]
    pub fn reply(&self) -> &[Span] {
        &self.reply
    }

    /// Which member is the flag, and why, in words.
    ///
    /// ```
    /// # use shm_handoff::declare::Declared;
    /// let declared: Declared = "struct { char line[80]; int ready; }".parse()?;
    /// assert_eq!(declared.why_flag(), "`ready`, by its name");
    /// assert_eq!(declared.why_payload(), "`line`, the one char array");
    /// # Ok::<(), shm_handoff::declare::Error>(())
    /// ```
    #[must_use]
    pub fn why_flag(&self) -> &str {
        &self.why_flag
    }

    /// Which members are handed over, and why, in words.
    #[must_use]
    pub fn why_payload(&self) -> &str {
        &self.why_payload
    }

    /// Fifteen bits that tell layouts apart, the same ones in every process: of where the struct begins, its flag, what is
    /// handed over and what is answered. The size of the segment, which both sides see, is left out. Never 0.
    #[must_use]
    pub fn hash(&self) -> u16 {
        // FNV-1a, by Fowler, Noll and Vo.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut mix = |number: u64| {
            for byte in number.to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        let Flag { of, offset, empty, full } = self.flag;
        // The bits count, and not the sign.
        let bits = |value: i64| value.cast_unsigned() & if of.bytes() == 1 { 0xff } else { 0xffff_ffff };
        let kind = u64::from(matches!(self.payload, Payload::Data(_)));
        for number in [self.at as u64, of.bytes() as u64, offset as u64, bits(empty), bits(full), kind] {
            mix(number);
        }
        for spans in [self.payload.spans(), &self.reply] {
            mix(spans.len() as u64);
            for span in spans {
                mix(span.offset as u64);
                mix(span.len as u64);
            }
        }
        u16::try_from(1 + hash % 32_767).unwrap_or(1)
    }
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |spans: &[Span]| spans.iter().map(Span::to_string).collect::<Vec<_>>().join("+");
        let Flag { of, offset, empty, full } = self.flag;
        write!(f, "flag={of}@{offset}")?;
        if empty != 0 {
            write!(f, ",empty={empty}")?;
        }
        if full != 1 {
            write!(f, ",full={full}")?;
        }
        let word = if matches!(self.payload, Payload::Text(_)) { "text" } else { "data" };
        write!(f, ",{word}={}", list(self.payload.spans()))?;
        if !self.reply.is_empty() {
            write!(f, ",reply={}", list(&self.reply))?;
        }
        match self.size {
            Size::Exactly(bytes) => write!(f, ",size={bytes}")?,
            Size::AtLeast(bytes) => write!(f, ",size>={bytes}")?,
        }
        if self.at != 0 {
            write!(f, ",at={}", self.at)?;
        }
        Ok(())
    }
}
