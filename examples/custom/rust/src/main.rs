//! Your functions. FUNC_HANDLER names the one to serve.

use serde_json::{json, Value};
use std::{thread::sleep, time::Duration};
use worker::{Answer, Context, Event, Outcome};

fn main() {
    worker::serve(&[("hello", hello), ("data", data), ("ticks", ticks)]);
}

fn hello(_event: &Event, _context: &Context) -> Outcome {
    Ok("hello world".into())
}

/// Returns the event as JSON.
fn data(event: &Event, context: &Context) -> Outcome {
    let data: Value = event.json()?;
    Ok(json!({ "data": data, "id": event.id, "function": context.function_name }).into())
}

/// Streams one line per second.
fn ticks(_event: &Event, _context: &Context) -> Outcome {
    let lines = (1..=5).map(|tick| {
        if tick > 1 {
            sleep(Duration::from_secs(1));
        }
        Ok(format!("data: {}\n\n", tick).into_bytes())
    });
    Ok(Answer::stream(lines).header("Content-Type", "text/event-stream"))
}
