import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { major, withWorker } from "./worker.ts";

describe("nodejs: extensions.response as a stream", () => {
	test("extensions.response takes pipes, and does not end before them", async (t) => {
		const source = `
			const { PassThrough, pipeline } = require("stream");
			const slow = (text) => { const s = new PassThrough(); setTimeout(() => s.write(text), 5); setTimeout(() => s.end("."), 15); return s; };
			exports.pipe = (r) => { slow("one").pipe(r); };
			exports.async = async (r) => { slow("one").pipe(r); };
			exports.two = (r) => { const a = slow("one"); a.on("end", () => slow("two").pipe(r)); a.pipe(r, { end: false }); };
			exports.open = (r) => { slow("one").pipe(r, { end: false }); };
			exports.pipeline = (r) => { pipeline(slow("one"), r, () => {}); };
			exports.bulk = (r) => { const a = new PassThrough(); const b = new PassThrough(); a.on("end", () => b.pipe(r)); a.pipe(r, { end: false }); a.end(Buffer.alloc(400000, 97)); b.end(Buffer.alloc(400000, 98)); };
			exports.upstream = (r) => new Promise((resolve, reject) => { const s = slow("one"); s.on("end", () => resolve()); s.pipe(r); });
			exports.error = (r) => { const s = new PassThrough(); s.pipe(r); s.write("one"); setTimeout(() => s.emit("error", new Error("the source broke")), 10); };
			exports.closed = (r) => { const s = new PassThrough(); s.pipe(r); setTimeout(() => s.destroy(), 5); };
			exports.handled = (r) => { const s = new PassThrough(); s.on("error", () => { r.status(404).end("own answer"); }); s.pipe(r); setTimeout(() => s.emit("error", new Error("x")), 5); };
			exports.piped = (r) => { const s = new PassThrough(); s.write("part"); pipeline(s, r, () => {}); setTimeout(() => s.destroy(new Error("the source broke")), 5); };
			exports.pipedLater = (r) => new Promise((f, fail) => { const s = new PassThrough(); s.write("part"); pipeline(s, r, fail); setTimeout(() => s.destroy(new Error("the source broke")), 5); });
			exports.destroyed = (r) => { r.write("part"); setTimeout(() => r.destroy(), 5); return new Promise(() => {}); };
			exports.thrown = (r) => { r.write("part"); throw new Error("after a part"); };
			exports.thrownLater = async (r) => { r.write("part"); await new Promise((f) => setTimeout(f, 5)); throw new Error("after a part"); };
			exports.thrownAfter = (r) => { r.end("whole"); throw new Error("too late"); };
			exports.endless = (r) => { const { Readable } = require("stream"); const s = new Readable({ read() { this.push("x".repeat(1000)); } }); s.on("close", () => console.log("source closed")); r.on("close", () => { console.log("closed"); s.destroy(); }); s.pipe(r); };
			exports.h = (event) => exports[event.data](event.extensions.response);
		`;
		await withWorker(t, source, "h", async (worker) => {
			const wanted: [string, string][] = [
				["pipe", "one."],
				["async", "one."],
				["two", "one.two."],
				["open", "one."],
				["upstream", "one."],
				["pipeline", "one."],
				["bulk", "a".repeat(400000) + "b".repeat(400000)],
				["handled", "own answer"],
				["thrownAfter", "whole"],
			];
			for (const [body, text] of wanted) {
				if (body === "pipeline" && major < 10) continue;
				const answer = await worker.ask({ body });
				assert.deepEqual([body, answer.text.length, answer.text, answer.error], [body, text.length, text, undefined]);
			}
			assert.match(worker.printed("stderr"), /too late/);
			const broken: [string, RegExp, string[]][] = [
				["error", /the source broke/, ["head", "chunk", "error"]],
				["thrown", /after a part/, ["error"]],
				["thrownLater", /after a part/, ["head", "chunk", "error"]],
			];
			if (major >= 10) {
				broken.push(
					["piped", major < 12 ? /destroyed before its end/ : /the source broke/, ["head", "chunk", "error"]],
					["pipedLater", /the source broke/, ["head", "chunk", "error"]],
				);
			}
			broken.push(["destroyed", /destroyed before its end/, ["head", "chunk", "error"]]);
			if (major >= 10) broken.push(["closed", /closed before its end/, ["error"]]);
			for (const [body, words, form] of broken) {
				const answer = await worker.ask({ body });
				assert.match(answer.error?.message ?? "", words);
				assert.deepEqual([body, answer.form], [body, form]);
			}
			const id = worker.begin({ body: "endless" });
			await worker.until(({ line }) => line.id === id && line.type === "chunk");
			worker.send({ type: "cancel", id });
			assert.equal((await worker.answer(id)).error?.code, "CANCELLED");
			await worker.until(({ body }) => body.toString().includes("closed\n"));
		});
	});

	test("a response that the function destroys ends the call at once", async (t) => {
		const source = `
			const fs = require("fs");
			const { PassThrough, pipeline } = require("stream");
			const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
			const broken = (r, done) => pipeline(fs.createReadStream("/not/there"), r, done);
			exports.atOnce = (r) => { r.destroy(); };
			exports.afterPart = (r) => { r.write("part"); r.destroy(); };
			exports.never = (r) => { r.destroy(); return new Promise(() => {}); };
			exports.value = (r) => { r.destroy(); return "value"; };
			exports.socket = (r) => { r.socket.destroy(); };
			exports.ended = (r) => { r.end("whole"); r.destroy(); };
			exports.caught = (r) => new Promise((resolve) => broken(r, () => { r.status(404).send("not there"); resolve(); }));
			exports.thrown = (r) => new Promise((_, reject) => broken(r, reject));
			exports.ignored = (r) => { broken(r, () => {}); };
			exports.late = (r) => later(5).then(() => { r.destroy(new Error("given up")); return later(5); });
			exports.h = (event) => exports[event.data](event.extensions.response);
		`;
		await withWorker(t, source, "h", async (worker) => {
			const broken = /the response was destroyed before its end/;
			const wanted: [string, RegExp, string[]][] = [
				["atOnce", broken, ["head", "error"]],
				["afterPart", broken, major < 10 ? ["head", "chunk", "error"] : ["head", "error"]],
				["never", broken, ["head", "error"]],
				["value", broken, ["head", "error"]],
				["socket", broken, ["head", "error"]],
				["late", /given up/, ["error"]],
			];
			if (major >= 14) {
				for (const body of ["caught", "thrown", "ignored"]) wanted.push([body, /ENOENT.*not\/there/, ["error"]]);
			}
			for (const [body, words, form] of wanted) {
				if (major < 8 && body === "late") continue; // its destroy() takes no error
				const answer = await worker.ask({ body });
				assert.match(answer.error?.message ?? "", words, body);
				assert.deepEqual([body, answer.form], [body, form]);
			}
			assert.equal((await worker.ask({ body: "ended" })).text, "whole");
		});
	});
});
