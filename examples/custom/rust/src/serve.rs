//! The loop: frames in, functions called, frames out.

use crate::call::{Answer, Body, Context, Event, Failure, Outcome};
use crate::wire::{self, Frame, Reader, Writer};
use serde_json::{json, Value};
use std::collections::HashMap;
use std::io::{self, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::{env, process, thread};

pub type Function = fn(&Event, &Context) -> Outcome;

/// Calls at once, where FUNC_CONCURRENCY does not say.
const CALLS: usize = 10;
/// A result larger than this goes in pieces, so that it does not stand in the way of others (5.2).
const LARGE: usize = 256 << 10;
const PIECE: usize = 64 << 10;
/// Bytes of an error's message at the most, so that its line is not too long (2.3).
const MESSAGE: usize = 64 << 10;

struct Worker {
    function: Function,
    context: Context,
    reader: Mutex<Reader>,
    writer: Writer,
    calls: Mutex<HashMap<u64, Arc<Call>>>,
    stopping: AtomicBool,
}

/// What the loader may still say about a call.
#[derive(Default)]
struct Call {
    cancelled: Arc<AtomicBool>,
    paused: Mutex<bool>,
    resumed: Condvar,
}

/// Serves one of these functions, the one that FUNC_HANDLER names or else the only one, until the loader says stop.
pub fn serve(functions: &[(&str, Function)]) -> ! {
    let (reader, writer) = wire::take().expect("descriptor 3 is the wire, and the loader gives it");
    let wanted = variable("FUNC_HANDLER");
    let only = wanted.is_empty() && functions.len() == 1;
    let found = functions.iter().find(|(name, _)| only || *name == wanted);
    let &(name, function) = found.unwrap_or_else(|| {
        let names: Vec<&str> = functions.iter().map(|(name, _)| *name).collect();
        let message = match wanted.as_str() {
            "" => "there is more than one function: name one with FUNC_HANDLER".to_owned(),
            _ => format!("there is no function {}", wanted),
        };
        send(&writer, json!({ "type": "failed", "code": "HANDLER_NOT_FOUND", "message": message, "handlers": names }));
        process::exit(1)
    });
    let context = Context {
        function_name: name.to_owned(),
        timeout: variable("FUNC_TIMEOUT"),
        runtime: variable("FUNC_RUNTIME"),
        memory_limit: variable("FUNC_MEMORY_LIMIT"),
    };
    let calls = variable("FUNC_CONCURRENCY").parse().unwrap_or(CALLS).max(1);
    send(&writer, json!({ "type": "ready", "wire": 1, "handler": name, "concurrency": calls }));
    let worker = Arc::new(Worker {
        function,
        context,
        reader: Mutex::new(reader),
        writer,
        calls: Mutex::default(),
        stopping: AtomicBool::new(false),
    });
    // The thread that has the reader reads a frame, lets the next one read, and calls the function itself: no call is handed
    // from one thread to another. One more than there are calls, so that somebody always reads: the wire may end (1.3).
    let threads: Vec<_> = (0..=calls)
        .map(|_| {
            let worker = Arc::clone(&worker);
            thread::spawn(move || loop {
                let (frame, call) = worker.next();
                worker.run(frame, &call);
            })
        })
        .collect();
    for thread in threads {
        thread.join().ok();
    }
    process::exit(1)
}

impl Worker {
    /// The next call. All else is done here, while nobody else reads, so that it keeps its place among the calls.
    fn next(&self) -> (Frame, Arc<Call>) {
        let mut reader = self.reader.lock().unwrap();
        loop {
            let frame = match reader.frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => process::exit(1),
                Err(error) => {
                    eprintln!("the wire is broken: {}", error); // 2.7
                    process::exit(2)
                }
            };
            let id = frame.line.id();
            match frame.line.kind() {
                "call" => {
                    let call = Arc::new(Call::default());
                    self.calls.lock().unwrap().insert(id, Arc::clone(&call));
                    return (frame, call);
                }
                "stop" => {
                    self.stopping.store(true, Ordering::SeqCst);
                    self.leave_if_done();
                }
                "cancel" => self.with(id, |call| {
                    call.cancelled.store(true, Ordering::Relaxed);
                    call.pause(false);
                }),
                "pause" => self.with(id, |call| call.pause(true)),
                "resume" => self.with(id, |call| call.pause(false)),
                _ => {} // newer than this worker (2.2)
            }
        }
    }

    /// Does something to a call that is not over: these frames may cross its answer (5.1, 6.1).
    fn with(&self, id: u64, change: impl Fn(&Call)) {
        let call = self.calls.lock().unwrap().get(&id).cloned();
        if let Some(call) = call {
            change(&call);
        }
    }

    fn run(&self, frame: Frame, call: &Call) {
        let id = frame.line.id();
        match malformed(&frame) {
            Some(why) => self.error(id, "BODY_MALFORMED", &why),
            None => {
                let event = Event::new(frame, Arc::clone(&call.cancelled));
                let outcome = caught(|| (self.function)(&event, &self.context));
                // Standard output keeps what has no line break yet.
                io::stdout().flush().ok();
                match outcome {
                    Ok(answer) => self.answer(id, answer, call),
                    Err(Failure(message)) => self.error(id, "FUNCTION_THREW", &message),
                }
            }
        }
        self.calls.lock().unwrap().remove(&id);
        self.leave_if_done();
    }

    fn answer(&self, id: u64, answer: Answer, call: &Call) {
        let mut head = match answer.head() {
            Ok(head) => head,
            Err(why) => return self.error(id, "RESULT_INVALID", &why),
        };
        let begin = |kind: &str| match answer.status {
            200 => format!("{{\"type\":\"{}\",\"id\":{}", kind, id),
            status => format!("{{\"type\":\"{}\",\"id\":{},\"status\":{}", kind, id, status),
        };
        match answer.body {
            Body::Bytes(bytes) if bytes.len() <= LARGE => self.writer.send(&begin("result"), &head, &bytes),
            Body::Bytes(bytes) => {
                head.push_str(&format!("Content-Length: {}\r\n", bytes.len()));
                self.writer.send(&begin("head"), &head, b"");
                let pieces = bytes.chunks(PIECE).all(|piece| self.piece(id, piece, call));
                self.end(id, pieces);
            }
            Body::Stream(mut pieces) => {
                self.writer.send(&begin("head"), &head, b"");
                loop {
                    match caught(|| pieces.next().transpose()) {
                        Ok(Some(piece)) if self.piece(id, &piece, call) => {}
                        Ok(more) => return self.end(id, more.is_none()),
                        Err(Failure(message)) => return self.error(id, "FUNCTION_THREW", &message),
                    }
                }
            }
        }
    }

    /// Sends a piece of an answer, once the caller can take it (5.1); false: nobody wants it any more.
    fn piece(&self, id: u64, bytes: &[u8], call: &Call) -> bool {
        let mut paused = call.paused.lock().unwrap();
        while *paused {
            paused = call.resumed.wait(paused).unwrap();
        }
        drop(paused);
        if call.cancelled.load(Ordering::Relaxed) {
            return false;
        }
        self.writer.send(&format!("{{\"type\":\"chunk\",\"id\":{}", id), "", bytes);
        true
    }

    fn end(&self, id: u64, whole: bool) {
        if whole {
            self.writer.send(&format!("{{\"type\":\"end\",\"id\":{}", id), "", b"");
        } else {
            self.error(id, "CANCELLED", "cancelled");
        }
    }

    fn error(&self, id: u64, code: &str, message: &str) {
        let mut length = message.len().min(MESSAGE);
        while !message.is_char_boundary(length) {
            length -= 1;
        }
        send(&self.writer, json!({ "type": "error", "id": id, "code": code, "message": &message[..length] }));
    }

    fn leave_if_done(&self) {
        if self.stopping.load(Ordering::SeqCst) && self.calls.lock().unwrap().is_empty() {
            process::exit(0); // 6.2
        }
    }
}

impl Call {
    fn pause(&self, paused: bool) {
        *self.paused.lock().unwrap() = paused;
        self.resumed.notify_all();
    }
}

/// What is wrong with a body that says it is JSON (4.7).
fn malformed(frame: &Frame) -> Option<String> {
    if !frame.line.json() || frame.body.is_empty() {
        return None;
    }
    let text = match std::str::from_utf8(&frame.body) {
        Ok(text) => text,
        Err(error) => return Some(format!("the body is not JSON: {}", error)),
    };
    let read: Result<serde::de::IgnoredAny, _> = serde_json::from_str(text);
    read.err().map(|error| format!("the body is not JSON: {}", error))
}

/// A panic ends its call alone (4.8). Rust has told standard error where it was.
fn caught<T>(run: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Failure(text.unwrap_or("the function panicked").to_owned()))
    })
}

fn send(writer: &Writer, line: Value) {
    let text = line.to_string();
    writer.send(&text[..text.len() - 1], "", b"");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
