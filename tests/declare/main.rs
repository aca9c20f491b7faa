//! Layouts by declaration: what a SPEC says, beside what the C compiler of this machine makes of it.
//!
//! | | |
//! | --- | --- |
//! | `compiled` | every example, and random structs: each offset and each size is the compiler's |
//! | `attach` | random layouts, attached: no byte beside what is declared is touched, whatever lies there |
//! | `choice` | which members are the flag and the payload |
//! | `errors` | what can't be placed, with the message and the place |
//! | `limits` | long, deep and hostile texts take time in proportion to their length |

#![cfg(not(model))]

mod attach;
mod choice;
mod compiled;
mod compiler;
mod errors;
mod limits;
mod random;
