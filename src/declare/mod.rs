//! Layouts by declaration: where the flag and the payload lie in the struct that a program has.
//!
//! A SPEC is one of
//!
//! | | |
//! | --- | --- |
//! | `text[1024]` | the tutorial's struct with a text of another length |
//! | `struct { int written; char text[1024]; }` | a C declaration, with the `#define`s, typedefs and enums that it needs |
//! | `FILE.h`, `FILE.h:NAME` | a file that has one: see [`HeaderFile`] |
//! | `flag=i32@0,text=2048@4,size=2052` | the terse form, which [`Declared`] prints |
//!
//! Members lie where the C compiler of this machine would place them. Terms may follow any of these behind a comma:
//!
//! | term | meaning | without it |
//! | --- | --- | --- |
//! | `flag=NAME`, `flag=i32@0` | the flag: a member, or a type (`i32`, `u32`, `i8`, `u8`) and an offset | the member `written…`, `flag`, `ready`, `full`, `complete`, in this order |
//! | `empty=0` | at this value of the flag the writer may write | 0 |
//! | `full=1` | the value that a writer of ours publishes; a reader takes any but the empty one | 1 |
//! | `text=NAME`, `text=2048@4` | one C string: a member, or a length and an offset | the one `char` array |
//! | `data=NAME+NAME`, `data=36@0+8@40` | records of bytes, in one or several spans | if there is not one `char` array: all members but the flag, locks (`sem_t`, `pthread_mutex_t`) and those of `reply` |
//! | `reply=NAME`, `reply=8@404` | what the reader may write before it releases; it may lie within the payload | nothing |
//! | `size=2052`, `size>=16384` | how large the segment is | where the struct ends, exactly |
//! | `at=4096` | where in the segment the struct begins; other offsets count from there | 0 |
//!
//! A member of a member is `outer.inner`. Numbers may be computed, as in C; constants of the declaration are known.
//!
//! ```
//! use shm_handoff::declare::{Declared, Payload};
//! let image: Declared = "
//!     #define WIDTH 640
//!     typedef struct {
//!         int written;                     // 1: an image is there
//!         uint8_t data[WIDTH * 480 * 3];
//!         int control, pause;              // the answer
//!     } shared_t;
//!     ,reply=control+pause".parse()?;
//! assert_eq!(image.to_string(), "flag=i32@0,data=921600@4,reply=8@921604,size=921612");
//! assert!(matches!(image.payload(), Payload::Data(spans) if spans.len() == 1));
//! # Ok::<(), shm_handoff::declare::Error>(())
//! ```

mod choose;
mod constant;
mod cursor;
mod declared;
mod fault;
mod known;
mod lex;
mod parse;
mod place;
mod preprocess;
mod read;
mod specifiers;
mod terms;
mod types;

pub use declared::{Declared, Flag, FlagType, Payload, Size, Span};
pub use fault::Error;
pub use read::HeaderFile;
pub use types::{Kind, Member};
