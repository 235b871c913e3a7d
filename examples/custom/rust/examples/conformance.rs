//! The handlers of docs/conformance.md: cargo run --example conformance

use serde_json::json;
use std::io::{stdin, Read};
use std::process::{self, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{thread, time::Duration};
use worker::{Answer, Context, Event, Failure, Outcome};

const TEXT: &str = "čšž ελ 日本 🎉";
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn main() {
    println!("conformance loaded");
    worker::serve(&[
        ("echoes", |event, _| Ok(event.data.clone().into())),
        ("types", types),
        ("context", context),
        ("request", request),
        ("headers", headers),
        ("bytes", |_, _| Ok((0..=255).collect::<Vec<u8>>().into())),
        ("big", |event, _| Ok("0123456789".repeat(number(&event.text())? / 10).into())),
        ("streams", streams),
        ("raises", |event, _| Err(Failure(event.text()))),
        ("exits", |_, _| Err(Failure("Rust's exit ends the process".to_owned()))),
        ("nonsense", |_, _| Ok(Answer::from("").header("X-Cut", "one\r\ntwo"))),
        ("sleeps", sleeps),
        ("prints", prints),
        ("unicode", unicode),
        ("stdin", |_, _| {
            let mut text = String::new();
            stdin().read_to_string(&mut text)?;
            Ok(text.into())
        }),
        ("spawns", |_, _| Ok(Command::new("sleep").arg("30").spawn()?.id().to_string().into())),
        ("counts", |_, _| Ok((COUNT.fetch_add(1, Ordering::SeqCst) + 1).to_string().into())),
        ("dies", |_, _| process::abort()),
    ]);
}

fn number(text: &str) -> Result<usize, Failure> {
    Ok(text.trim().parse()?)
}

fn types(event: &Event, _: &Context) -> Outcome {
    let (data, source) = (event.text(), event.extensions.get("source"));
    Ok(json!({ "id": event.id, "type": event.kind, "time": event.time, "namespace": event.namespace, "data": data, "source": source }).into())
}

fn context(_: &Event, context: &Context) -> Outcome {
    let Context { function_name, timeout, runtime, memory_limit } = context;
    Ok(json!({ "function-name": function_name, "timeout": timeout, "runtime": runtime, "memory-limit": memory_limit }).into())
}

fn request(event: &Event, _: &Context) -> Outcome {
    let (query, header) = (event.query_value("x"), event.header("X-Name"));
    Ok(json!({ "method": event.method, "path": event.path, "query": query, "header": header }).into())
}

fn headers(_: &Event, _: &Context) -> Outcome {
    let made = Answer::from("made").status(201).header("Content-Type", "text/plain").header("X-Name", "Ada");
    Ok(made.header("Set-Cookie", "a=1").header("Set-Cookie", "b=2"))
}

fn streams(event: &Event, _: &Context) -> Outcome {
    let text = event.text();
    let words: Vec<&str> = text.split(' ').collect();
    let (count, length, pause) = (number(words[0])?, number(words[1])?, number(words[2])? as u64);
    let raises = words.get(3) == Some(&"raise");
    let chunks = (0..count).map(move |i| {
        if i > 0 {
            thread::sleep(Duration::from_millis(pause));
        }
        Ok((i % 10).to_string().repeat(length).into_bytes())
    });
    let end = raises.then(|| Err(Failure("broken off".to_owned())));
    Ok(Answer::stream(chunks.chain(end)))
}

fn sleeps(event: &Event, _: &Context) -> Outcome {
    thread::sleep(Duration::from_millis(number(&event.text())? as u64));
    Ok("slept".into())
}

fn prints(event: &Event, _: &Context) -> Outcome {
    println!("{}", event.text());
    eprintln!("{}", event.text());
    Ok("printed".into())
}

fn unicode(event: &Event, _: &Context) -> Outcome {
    if event.text() == "raise" {
        return Err(Failure(TEXT.to_owned()));
    }
    println!("{}", TEXT);
    Ok(TEXT.into())
}
