//! A worker: it speaks the wire and calls functions. Numbers are rules of runtimes/PROTOCOL.md.
//!
//! - `wire`: reads and writes frames
//! - `call`: a function's arguments and result
//! - `serve`: the loop that reads frames and calls functions

mod call;
mod serve;
mod wire;

pub use call::{Answer, Context, Event, Failure, Outcome};
pub use serve::{serve, Function};
