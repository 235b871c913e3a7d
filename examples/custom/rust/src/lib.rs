//! A worker: it speaks the wire (runtimes/PROTOCOL.md, whose rules are cited by number) and calls functions.
//!
//! - `wire`: frames, to and fro
//! - `call`: what a function is given and what it returns
//! - `serve`: the loop between them

mod call;
mod serve;
mod wire;

pub use call::{Answer, Context, Event, Failure, Outcome};
pub use serve::{serve, Function};
