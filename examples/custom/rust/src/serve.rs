//! The loop: reads frames, calls functions, writes frames.

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

/// Default of FUNC_CONCURRENCY, the number of calls at once.
const CALLS: usize = 10;
/// A larger result is sent in chunks, so that it does not delay other answers (5.2). In bytes.
const LARGE: usize = 256 << 10;
const PIECE: usize = 64 << 10;
/// Maximum size of an error's message in bytes: a line is limited (2.3).
const MESSAGE: usize = 64 << 10;

struct Worker {
    function: Function,
    context: Context,
    reader: Mutex<Reader>,
    writer: Writer,
    calls: Mutex<HashMap<u64, Arc<Call>>>,
    stopping: AtomicBool,
}

/// The effect of control frames on a call.
#[derive(Default)]
struct Call {
    cancelled: Arc<AtomicBool>,
    paused: Mutex<bool>,
    resumed: Condvar,
}

/// Serves the function that FUNC_HANDLER names, else the only one, until the loader sends `stop`.
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
    // Each thread reads a frame and then runs its call itself, while the next thread reads: no call
    // is handed over. There is one thread more than calls, so that the end of the wire (1.3) is
    // always noticed.
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
    /// Returns the next call. Control frames are applied here, while no other thread reads, so that
    /// they stay in order.
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
                _ => {} // a frame of a newer loader (2.2)
            }
        }
    }

    /// Changes a call that is still open: these frames may cross its answer (5.1, 6.1).
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
                // Standard output buffers an incomplete line.
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

    /// Waits while the call is paused (5.1), then sends a chunk. Returns false if the call was
    /// cancelled.
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

/// Returns the error in a body that should be JSON (4.7).
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

/// A panic ends only its call (4.8). Rust has printed its place on standard error.
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
