//! Types, and how the C ABI of this machine places them.

use super::constant::{Cast, Value};
use std::ffi::{c_char, c_double, c_float, c_int, c_long, c_longlong, c_short, c_uint, c_ulong, c_ushort};
use std::sync::Arc;

/// What a member is made of.
///
/// ```
/// use shm_handoff::declare::{Declared, Kind};
/// let declared: Declared = "struct { int written; struct { float x, y; } place[3]; }".parse()?;
/// let place = &declared.members()[1];
/// assert_eq!((&place.name[..], &place.array[..], place.size), ("place", &[3][..], 24));
/// let Kind::Struct(members) = &place.kind else { panic!("it is a struct") };
/// assert_eq!((&members[1].name[..], members[1].offset, &members[1].kind), ("y", 4, &Kind::Float));
/// # Ok::<(), shm_handoff::declare::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A `char`. An array of them is a text.
    Char,
    /// An integer that may be negative.
    Signed,
    /// An integer that may not.
    Unsigned,
    /// A `bool`.
    Bool,
    /// A `float` or a `double`, by its size.
    Float,
    /// A struct, with the members in it.
    Struct(Arc<[Member]>),
    /// A union: which of its members counts, the programs know alone.
    Union,
    /// A semaphore, a mutex and the like: the programs' own, and never copied.
    Lock,
    /// Bytes with another meaning, such as a `struct timespec` or a `long double`.
    Other,
}

/// A member of a declared struct. Those of an anonymous struct stand among those around it, as C has it.
///
/// ```
/// use shm_handoff::declare::{Declared, Kind, Member};
/// let declared: Declared = "struct { char written; struct { long count[2][3]; }; }".parse()?;
/// let count: &Member = &declared.members()[1];
/// assert_eq!((&count.name[..], &count.type_name[..], &count.kind), ("count", "long", &Kind::Signed));
/// assert_eq!((count.offset, count.size, &count.array[..]), (8, 48, &[2, 3][..]));
/// # Ok::<(), shm_handoff::declare::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// As it is declared; empty for an anonymous union.
    pub name: String,
    /// Its type, or that of its elements, as it is declared.
    pub type_name: String,
    /// From the beginning of the struct that it is in.
    pub offset: usize,
    /// Of all of it, in bytes.
    pub size: usize,
    /// How many elements an array has, the outermost first; empty: it is no array.
    pub array: Vec<usize>,
    /// What it, or each of its elements, is made of.
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) size: usize,
    pub(super) align: usize,
    pub(super) kind: Kind,
    /// Which of the structs of the text it is.
    pub(super) definition: Option<usize>,
    /// How many members it has, those of its members included, and how deep the deepest of them lies.
    pub(super) weight: usize,
    pub(super) depth: usize,
}

impl Type {
    pub(super) fn new(name: &str, size: usize, align: usize, kind: Kind) -> Self {
        Self { name: name.to_owned(), size, align, kind, definition: None, weight: 1, depth: 0 }
    }

    fn of<T>(name: &str, kind: Kind) -> Self {
        Self::new(name, size_of::<T>(), align_of::<T>(), kind)
    }

    /// What a cast to it makes of a constant.
    pub(super) fn cast(&self) -> Cast {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // as a cast of C does
        match (&self.kind, self.size) {
            (Kind::Signed, 8) => Some(|number| Value::long(number as i64)),
            (Kind::Unsigned, 8) => Some(|number| Value::size(number as u64)),
            (Kind::Unsigned, 4) => Some(|number| Value::unsigned(number as u32)),
            (Kind::Signed, 4) => Some(|number| Value::int(number as i32)),
            (Kind::Signed, 2) => Some(|number| Value::int((number as i16).into())),
            (Kind::Unsigned, 2) => Some(|number| Value::int((number as u16).into())),
            (Kind::Signed, 1) => Some(|number| Value::int((number as i8).into())),
            (Kind::Unsigned, 1) => Some(|number| Value::int((number as u8).into())),
            (Kind::Char, _) => Some(|number| Value::int((number as c_char).into())),
            (Kind::Bool, _) => Some(|number| Value::int((number != 0).into())),
            _ => None,
        }
    }
}

/// The type that keywords make; `None`: they make none.
pub(super) fn of_keywords(words: &[&str]) -> Option<Type> {
    let count = |keyword: &str| words.iter().filter(|word| **word == keyword).count();
    let [signed, unsigned, int, long] = ["signed", "unsigned", "int", "long"].map(count);
    let (signed, name) = (signed + count("__signed__"), words.join(" "));
    if signed + unsigned > 1 || int > 1 {
        return None;
    }
    let others: Vec<_> = words
        .iter()
        .filter(|word| !["signed", "__signed__", "unsigned", "int", "long"].contains(word))
        .copied()
        .collect();
    let has_sign = signed + unsigned > 0;
    let integer = if unsigned > 0 { Kind::Unsigned } else { Kind::Signed };
    Some(match (&others[..], long) {
        (["char"], 0) if int == 0 => Type::of::<c_char>(&name, if has_sign { integer } else { Kind::Char }),
        (["short"], 0) => Type::of::<c_short>(&name, integer),
        ([], 0) => Type::of::<c_int>(&name, integer),
        ([], 1) => Type::of::<c_long>(&name, integer),
        ([], 2) => Type::of::<c_longlong>(&name, integer),
        (["float"], 0) if int == 0 && !has_sign => Type::of::<c_float>(&name, Kind::Float),
        (["double"], 0) if int == 0 && !has_sign => Type::of::<c_double>(&name, Kind::Float),
        // On both processors that we know.
        (["double"], 1) if int == 0 && !has_sign => Type::new(&name, 16, 16, Kind::Other),
        (["__int128"], 0) if int == 0 => Type::of::<i128>(&name, Kind::Other),
        (["bool" | "_Bool"], 0) if int == 0 && !has_sign => Type::of::<bool>(&name, Kind::Bool),
        _ => return None,
    })
}

/// Words of which types are made.
pub(super) const KEYWORDS: [&str; 13] = [
    "char",
    "short",
    "int",
    "long",
    "float",
    "double",
    "signed",
    "__signed__",
    "unsigned",
    "bool",
    "_Bool",
    "__int128",
    "void",
];

macro_rules! system_types {
    ($given:ident, $($kind:ident: $($name:literal)* = $type:ty;)*) => {
        match $given {
            $($($name)|* => Some(Type::of::<$type>($given, Kind::$kind)),)*
            _ => None,
        }
    };
}

/// A type that the system's headers declare.
pub(super) fn of_the_system(name: &str) -> Option<Type> {
    system_types! { name,
        Signed: "int8_t" "int_least8_t" "int_fast8_t" "atomic_schar" "__s8" = i8;
        Signed: "int16_t" "int_least16_t" "atomic_short" "__s16" = i16;
        Signed: "int32_t" "int_least32_t" "atomic_int" "__s32" = i32;
        Signed: "int64_t" "int_least64_t" "atomic_llong" "__s64" = i64;
        Signed: "int_fast64_t" "intmax_t" "intptr_t" "ptrdiff_t" "atomic_long" = isize;
        Unsigned: "uint8_t" "u_int8_t" "uint_least8_t" "uint_fast8_t" "u_char" "atomic_uchar" "__u8" = u8;
        Unsigned: "uint16_t" "u_int16_t" "uint_least16_t" "u_short" "ushort" "atomic_ushort" "__u16" = u16;
        Unsigned: "uint32_t" "u_int32_t" "uint_least32_t" "u_int" "uint" "atomic_uint" "__u32" = u32;
        Unsigned: "uint64_t" "u_int64_t" "uint_least64_t" "atomic_ullong" "__u64" = u64;
        Unsigned: "uint_fast64_t" "uintmax_t" "uintptr_t" = usize;
        Unsigned: "u_long" "ulong" "atomic_ulong" = c_ulong;
        Char: "atomic_char" = c_char;
        Bool: "atomic_bool" = bool;
        Signed: "wchar_t" = libc::wchar_t;
        Unsigned: "char16_t" = u16;
        Unsigned: "char32_t" = u32;
        Unsigned: "size_t" = libc::size_t;
        Signed: "ssize_t" = libc::ssize_t;
        Signed: "off_t" "loff_t" "off64_t" = libc::off_t;
        Signed: "pid_t" = libc::pid_t;
        Signed: "key_t" = libc::key_t;
        Signed: "time_t" = libc::time_t;
        Signed: "clock_t" = libc::clock_t;
        Signed: "suseconds_t" = libc::suseconds_t;
        Unsigned: "useconds_t" = c_uint;
        Signed: "clockid_t" = libc::clockid_t;
        Unsigned: "uid_t" = libc::uid_t;
        Unsigned: "gid_t" = libc::gid_t;
        Unsigned: "id_t" = libc::id_t;
        Unsigned: "mode_t" = libc::mode_t;
        Unsigned: "dev_t" = libc::dev_t;
        Unsigned: "ino_t" = libc::ino_t;
        Unsigned: "nlink_t" = libc::nlink_t;
        Signed: "blksize_t" = libc::blksize_t;
        Signed: "blkcnt_t" = libc::blkcnt_t;
        Unsigned: "socklen_t" "in_addr_t" = u32;
        Unsigned: "in_port_t" "sa_family_t" = c_ushort;
        Signed: "sig_atomic_t" = c_int;
        Unsigned: "pthread_t" = libc::pthread_t;
        Lock: "sem_t" = libc::sem_t;
        Lock: "pthread_mutex_t" = libc::pthread_mutex_t;
        Lock: "pthread_mutexattr_t" = libc::pthread_mutexattr_t;
        Lock: "pthread_cond_t" = libc::pthread_cond_t;
        Lock: "pthread_condattr_t" = libc::pthread_condattr_t;
        Lock: "pthread_rwlock_t" = libc::pthread_rwlock_t;
        Lock: "pthread_barrier_t" = libc::pthread_barrier_t;
        Lock: "pthread_spinlock_t" = libc::pthread_spinlock_t;
        Lock: "atomic_flag" = bool;
        Other: "struct timespec" = libc::timespec;
        Other: "struct timeval" = libc::timeval;
        Other: "struct tm" = libc::tm;
        Other: "struct in_addr" = libc::in_addr;
        Other: "struct sockaddr_in" = libc::sockaddr_in;
    }
}

/// A constant that the system's headers define.
pub(super) fn constant_of_the_system(name: &str) -> Option<Value> {
    Some(match name {
        "BUFSIZ" => Value::int(libc::BUFSIZ.cast_signed()),
        "PATH_MAX" => Value::int(libc::PATH_MAX),
        "NAME_MAX" => Value::int(255),
        "CHAR_BIT" => Value::int(8),
        "INT_MAX" => Value::int(i32::MAX),
        _ => return None,
    })
}
