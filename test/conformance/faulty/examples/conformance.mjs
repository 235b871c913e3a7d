/**
 * The conformance handlers for the reference worker, whose functions get the call's frame, the
 * environment and a way to stream, and return a body or `{ status, head, body }`.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const TEXT = "čšž ελ 日本 🎉";
const text = (call) => (call.bodyBytes ?? "").toString();
const json = (value) => JSON.stringify(value);
const headers = (call) =>
	call.headBytes
		.toString("latin1")
		.split("\r\n")
		.map((line) => line.split(/: (.*)/));

let count = 0;
console.log("conformance loaded");

export const echoes = (call) => call.bodyBytes ?? "";
export const bytes = () => Uint8Array.from({ length: 256 }, (_, i) => i);
export const big = (call) => "0123456789".repeat(Number(text(call)) / 10);
export const counts = () => `${++count}`;
export const stdin = () => readFileSync(0);
export const nonsense = () => Symbol("nonsense");
export const recurses = (call) => recurses(call) + recurses(call);
export const context = (_, env) =>
	json({
		"function-name": env.FUNC_HANDLER,
		timeout: Number(env.FUNC_TIMEOUT),
		runtime: env.FUNC_RUNTIME,
		"memory-limit": env.FUNC_MEMORY_LIMIT,
	});

export const types = (call) =>
	json({
		id: call["event-id"],
		type: call["event-type"],
		time: call["event-time"],
		namespace: call["event-namespace"],
		data: call.json && call.bodyBytes ? JSON.parse(text(call)) : text(call),
		source: call.extensions?.source,
	});

export const request = (call) =>
	json({
		method: call.method,
		path: call.path,
		query: new URLSearchParams(call.query).get("x"),
		header: headers(call).find(([name]) => name.toLowerCase() === "x-name")?.[1],
	});

const responseHead = "Content-Type: text/plain\r\nX-Name: Ada\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n";
const made = () => ({ status: 201, head: responseHead, body: "made" });

export { made as headers };

export function raises(call) {
	throw new Error(text(call));
}

export function exits() {
	throw new Error("exit");
}

export function dies() {
	process.kill(process.pid, "SIGKILL");
}

export function prints(call) {
	console.log(text(call));
	console.error(text(call));
	return "printed";
}

export function unicode(call) {
	console.log(TEXT);
	if (text(call)) throw new Error(TEXT);
	return TEXT;
}

export function spawns() {
	return String(spawn("sleep", ["30"], { stdio: "ignore" }).pid);
}

export async function sleeps(call) {
	await pause(Number(text(call)));
	return "slept";
}

export async function* streams(call) {
	const [n, m, ms, then] = text(call).split(" ");
	for (let i = 0; i < Number(n); i++) {
		if (i > 0) await pause(Number(ms));
		yield String(i % 10).repeat(Number(m));
	}
	if (then === "raise") throw new Error("broken off");
}
