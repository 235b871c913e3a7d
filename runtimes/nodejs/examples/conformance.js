"use strict";

/**
 * The handlers that the conformance vectors call; docs/conformance.md describes each. They use
 * only what Node.js 6 has.
 */
const { spawn } = require("child_process");
const { readFileSync } = require("fs");
const { Readable } = require("stream");

const TEXT = "čšž ελ 日本 🎉";

let count = 0;
console.log("conformance loaded");

// A body that is no text has U+FFFD in event.data for what was lost: its bytes are the request's.
exports.echoes = ({ data, extensions }) => (String(data).includes("\ufffd") ? extensions.request.body : data);

exports.types = (event) => ({
	id: event["event-id"],
	type: event["event-type"],
	time: event["event-time"],
	namespace: event["event-namespace"],
	data: event.data,
	source: event.extensions.source,
});

exports.context = (_event, context) => context;

exports.raises = (event) => {
	throw new Error(event.data);
};

// JavaScript has no exit that can be caught.
exports.exits = () => {
	throw new Error("exit");
};

exports.dies = () => process.kill(process.pid, "SIGKILL");

exports.recurses = function recurses(event) {
	return recurses(event) + 1;
};

exports.prints = ({ data }) => {
	console.log(data);
	console.error(data);
	return "printed";
};

exports.unicode = ({ data }) => {
	console.log(TEXT);
	if (data === "raise") throw new Error(TEXT);
	return TEXT;
};

exports.sleeps = ({ data }) => new Promise((resolve) => setTimeout(resolve, Number(data), "slept"));

exports.bytes = () => Buffer.from([...Array(256).keys()]);

exports.big = ({ data }) => Buffer.alloc(Number(data), "0123456789");

exports.streams = ({ data }) => {
	const [n, m, ms, then] = data.split(" ");
	let made = 0;
	const make = (stream) => stream.push(String(made++ % 10).repeat(m));
	return new Readable({
		read() {
			if (made === 0 && made < n) make(this);
			else if (made < n) setTimeout(make, ms, this);
			else if (then === "raise")
				setImmediate(() => this.emit("error", new Error("broken off"))); // Node.js 6 has no destroy()
			else this.push(null);
		},
	});
};

exports.headers = ({ extensions: { response } }) => {
	response.status(201).set({ "Content-Type": "text/plain", "X-Name": "Ada", "Set-Cookie": ["a=1", "b=2"] });
	return "made";
};

exports.request = ({ extensions: { request } }) => ({
	method: request.method,
	path: request.path,
	query: request.query.x,
	header: request.get("X-Name"),
});

exports.nonsense = () => {
	const circle = {};
	circle.circle = circle;
	return circle;
};

exports.spawns = () => String(spawn("sleep", ["30"], { stdio: "ignore" }).pid);

exports.stdin = () => readFileSync(0);

exports.counts = () => {
	count += 1;
	return String(count);
};
