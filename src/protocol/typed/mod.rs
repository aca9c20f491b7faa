//! Messages that are values of a type, or several values of one type.
//!
//! The bytes of a message are those of the value. Which types can be sent and received, and whether bytes are a
//! valid value, is [`zerocopy`]'s matter. What is received is judged in the reader's private copy, which no peer can
//! change any more, and before the message is released.

mod reader;
mod reserved;
mod writer;

pub use reader::PeekedValue;
pub use reserved::ReservedValue;
