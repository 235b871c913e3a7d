//! Frames: a line of JSON, then a head and a body whose sizes are in the line (2.1).

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::unix::{io::FromRawFd, net::UnixStream};
use std::sync::Mutex;

/// Maximum sizes of a line or a head, and of a body, in bytes (2.3).
const LONGEST: usize = 1 << 20;
const LARGEST: usize = 1 << 30;

/// The fields of a line by name. Unknown fields are ignored (2.2).
pub struct Line(Map<String, Value>);

impl Line {
    /// Returns an error if the line is not an object, or a length is not a count (2.7).
    fn read(text: &[u8]) -> io::Result<(Line, usize, usize)> {
        let line = Line(serde_json::from_slice(text)?);
        let (head, body) = (line.count("head", LONGEST)?, line.count("body", LARGEST)?);
        Ok((line, head, body))
    }

    fn count(&self, name: &str, most: usize) -> io::Result<usize> {
        let count = self.0.get(name).map_or(Some(0), Value::as_u64).filter(|&count| count <= most as u64);
        count.map(|count| count as usize).ok_or_else(|| ErrorKind::InvalidData.into())
    }

    pub fn id(&self) -> u64 {
        self.0.get("id").and_then(Value::as_u64).unwrap_or(0)
    }

    pub fn kind(&self) -> &str {
        self.0.get("type").and_then(Value::as_str).unwrap_or("")
    }

    /// Returns whether the content type of the request is JSON (4.1).
    pub fn json(&self) -> bool {
        self.0.get("json") == Some(&Value::Bool(true))
    }

    /// Removes a text from the line and returns it.
    pub fn text(&mut self, name: &str) -> Option<String> {
        text(self.0.get_mut(name)?)
    }

    /// Removes an object of texts from the line and returns it.
    pub fn texts(&mut self, name: &str) -> BTreeMap<String, String> {
        let mut object = self.0.get_mut(name).map(Value::take);
        let pairs = object.iter_mut().filter_map(Value::as_object_mut).flatten();
        pairs.filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect()
    }
}

fn text(value: &mut Value) -> Option<String> {
    match value.take() {
        Value::String(text) => Some(text),
        _ => None,
    }
}

pub struct Frame {
    pub line: Line,
    pub head: Vec<u8>,
    pub body: Vec<u8>,
}

/// Returns the two halves of the wire, which is descriptor 3 (1.1).
pub fn take() -> io::Result<(Reader, Writer)> {
    // Safe: nothing else in this process has descriptor 3.
    let given = unsafe { UnixStream::from_raw_fd(3) };
    // A clone is closed by exec, so that no child has the wire (1.2); `given` is closed here.
    let wire = given.try_clone()?;
    Ok((Reader::new(wire.try_clone()?), Writer(Mutex::new(wire))))
}

pub struct Reader {
    wire: UnixStream,
    bytes: Vec<u8>,
    from: usize,
    to: usize,
}

impl Reader {
    fn new(wire: UnixStream) -> Reader {
        Reader { wire, bytes: vec![0; 64 << 10], from: 0, to: 0 }
    }

    /// Returns the next frame, or None if the wire has ended.
    pub fn frame(&mut self) -> io::Result<Option<Frame>> {
        let end = match self.line_end()? {
            Some(end) => end,
            None => return Ok(None),
        };
        let (line, head, body) = Line::read(&self.bytes[self.from..end])?;
        self.from = end + 1;
        let (head, body) = (self.take(head)?, self.take(body)?);
        Ok(Some(Frame { line, head, body }))
    }

    /// Returns the end of the line that begins at `from`.
    fn line_end(&mut self) -> io::Result<Option<usize>> {
        let mut looked_at = self.from;
        loop {
            if let Some(at) = self.bytes[looked_at..self.to].iter().position(|&byte| byte == b'\n') {
                return Ok(Some(looked_at + at));
            }
            if self.to - self.from > LONGEST {
                return Err(ErrorKind::InvalidData.into());
            }
            looked_at = self.to;
            if self.to == self.bytes.len() {
                // Drop the bytes that were read. If they are few, the line is long: enlarge the
                // buffer.
                self.bytes.copy_within(self.from..self.to, 0);
                looked_at -= self.from;
                self.to -= self.from;
                self.from = 0;
                if self.to > self.bytes.len() / 2 {
                    self.bytes.resize(self.bytes.len() * 2, 0);
                }
            }
            match self.wire.read(&mut self.bytes[self.to..])? {
                0 => return Ok(None),
                count => self.to += count,
            }
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let here = length.min(self.to - self.from);
        let mut taken = Vec::with_capacity(length);
        taken.extend_from_slice(&self.bytes[self.from..self.from + here]);
        self.from += here;
        if here < length {
            taken.resize(length, 0);
            self.wire.read_exact(&mut taken[here..])?;
        }
        Ok(taken)
    }
}

pub struct Writer(Mutex<UnixStream>);

impl Writer {
    /// Sends a whole frame (2.4). `line` has neither lengths nor its closing brace.
    pub fn send(&self, line: &str, head: &str, body: &[u8]) {
        let first = format!("{},\"head\":{},\"body\":{}}}\n{}", line, head.len(), body.len(), head);
        let mut wire = self.0.lock().unwrap();
        if write_both(&mut wire, first.as_bytes(), body).is_err() {
            std::process::exit(1); // the loader has ended
        }
    }
}

/// Writes both with one system call if possible.
fn write_both(wire: &mut UnixStream, first: &[u8], second: &[u8]) -> io::Result<()> {
    let written = loop {
        match wire.write_vectored(&[IoSlice::new(first), IoSlice::new(second)]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            written => break written?,
        }
    };
    if written < first.len() {
        wire.write_all(&first[written..])?;
    }
    wire.write_all(&second[written.saturating_sub(first.len())..])
}
