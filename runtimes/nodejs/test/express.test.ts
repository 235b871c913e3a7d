import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { major, withWorker } from "./worker.ts";

const json = "application/json; charset=utf-8";

describe("nodejs: extensions.request", () => {
	test("extensions.request is Express's, on an IncomingMessage", async (t) => {
		const source = `exports.h = ({ extensions: { request } }) => ({
			method: request.method, url: request.url, path: request.path, query: request.query, get: request.get("x-a"), headers: request.headers,
			is: [request.is("json"), request.is("text/*")], ip: request.ip, protocol: request.protocol, hostname: request.hostname,
			accepts: request.accepts(["html", "json"]), params: request.params, body: String(request.body), xhr: request.xhr,
			instance: request instanceof require("http").IncomingMessage, originalUrl: request.originalUrl, raw: request.rawHeaders.length, range: request.range(10),
		})`;
		await withWorker(t, source, "h", async (worker) => {
			const headers = {
				Host: "a.example:80",
				"X-A": "1",
				"Content-Type": "application/json",
				"X-Forwarded-For": "10.0.0.1, 10.0.0.2",
				Accept: "application/json",
				"Content-Length": "2",
				Cookie: "a=1",
			};
			const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
			const seen = JSON.parse(
				(await worker.ask({ path: "/a%20b/c", query: "x=1&y[]=2&y[]=3", head, body: "{}", json: true, address: "10.0.0.9" })).text,
			);
			assert.deepEqual(seen, {
				method: "POST",
				url: "/a%20b/c?x=1&y[]=2&y[]=3",
				path: "/a%20b/c",
				query: { x: "1", y: ["2", "3"] },
				get: "1",
				headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
				is: ["json", false],
				ip: "10.0.0.9",
				protocol: "http",
				hostname: "a.example",
				accepts: "json",
				params: { 0: "/a%20b/c" },
				body: "{}",
				xhr: false,
				instance: true,
				originalUrl: "/a%20b/c?x=1&y[]=2&y[]=3",
				raw: 14,
			});
			const bare = JSON.parse((await worker.ask()).text);
			assert.deepEqual([bare.query, bare.url, bare.body, bare.headers], [{}, "/", "[object Object]", {}]);
		});
	});

	test("extensions.request can be read as a stream, and destroyed without ending the call", async (t) => {
		const source = `
			exports.h = ({ extensions: { request, response } }) => new Promise((resolve, reject) => {
				let text = "";
				request.on("error", reject);
				if (request.query.destroy) { request.on("data", () => { request.destroy(); resolve("destroyed"); }); return; }
				request.on("data", (chunk) => { text += chunk; }).on("end", () => resolve(text.length + text.slice(0, 3)));
			});
			exports.pipe = ({ extensions: { request, response } }) => { response.type("text/plain"); return request.pipe(response); };
		`;
		await withWorker(t, source, "h", async (worker) => {
			assert.equal((await worker.ask({ body: "abc".repeat(100_000) })).text, "300000abc");
			assert.equal((await worker.ask({ body: "abc", query: "destroy=1" })).text, "destroyed");
			assert.equal((await worker.ask()).text, "0");
		});
		await withWorker(t, source, "pipe", async (worker) => {
			const answer = await worker.ask({ body: "abc".repeat(100_000) });
			assert.equal(answer.body.length, 300_000);
			assert.equal(answer.headers["content-type"], "text/plain; charset=utf-8");
		});
	});
});

describe("nodejs: extensions.response", () => {
	test("extensions.response is Express's, on a ServerResponse", async (t) => {
		const source = `
			const path = require("path");
			exports.value = (e, r) => { r.status(404).set({ "X-A": "1", "Content-Type": "text/x" }); return "missing"; };
			exports.object = (e, r) => { r.status(202); return { a: 1 }; };
			exports.bytes = (e, r) => { r.status(200); return Buffer.from("b"); };
			exports.typed = (e, r) => { r.type("png"); return Buffer.from("b"); };
			exports.nothing = (e, r) => { r.status(201); };
			exports.json = (e, r) => { r.json({ a: 1 }); };
			exports.send = (e, r) => { r.send("<p>"); return "ignored"; };
			exports.cookie = (e, r) => { r.cookie("a", "1").cookie("b", "2").append("X-A", "1").append("X-A", "2").end(); };
			exports.redirect = (e, r) => { r.redirect("/there"); };
			exports.sendStatus = (e, r) => { r.sendStatus(403); };
			exports.writes = (e, r) => { r.write("a"); r.write(Buffer.from("b")); r.end("c"); };
			exports.unfinished = (e, r) => { r.write("a"); };
			exports.appended = (e, r) => { r.write("a"); return "b"; };
			exports.self = (e, r) => r.status(203);
			exports.later = (e, r) => new Promise((resolve) => { r.write("a"); setTimeout(() => { r.end("b"); resolve("ignored"); }, 20); });
			exports.file = (e, r) => { r.sendFile(__filename); };
			exports.noFile = (e, r) => { r.sendFile(path.join(__dirname, "gone")); };
			exports.download = (e, r) => new Promise((resolve) => r.download(__filename, "x.js", resolve));
			exports.head = (e, r) => { r.writeHead(206, { "X-A": "1", "Content-Length": "5" }); r.end("12345"); };
			exports.hex = (e, r) => { r.setHeader("X-L", "caf\u00e9"); r.write("6869", "hex"); r.end(" č"); };
			exports.large = (e, r) => { r.end("č".repeat(300000)); };
			exports.short = (e, r) => { r.setHeader("Content-Length", "9"); r.write("a"); return new Promise((resolve) => setTimeout(() => { r.end("b"); resolve(); }, 5)); };
			exports.hop = (e, r) => { r.set("Connection", "close").set("Transfer-Encoding", "chunked").end("x"); };
			exports.bad = (e, r) => { r.set("X-A", "a\\r\\nb: c"); return "x"; };
			exports.long = (e, r) => { r.set("X-A", "a".repeat(1 << 20)).send("x"); };
			exports.longStream = (e, r) => { r.set("X-A", "a".repeat(1 << 20)); return (function* () { try { yield "x"; } finally { console.log("stream closed"); } })(); };
			exports.early = (e, r) => { r.status(103).end(); };
			exports.cached = (e, r) => { r.send("etag me"); };
			exports.promise = async (e, r) => { r.status(201); await null; return { a: 1 }; };
			exports.stream = (e, r) => { r.status(201).type("text/csv"); return (function* () { yield "a,b"; })(); };
			exports.h = (event) => exports[event.data](event, event.extensions.response);
		`;
		await withWorker(t, source, "h", async (worker) => {
			const text = readFileSync(join(worker.folder, "h.js"), "utf8");
			const wanted: [string, number, string, Record<string, string | undefined>?, string[]?][] = [
				["value", 404, "missing", { "x-a": "1", "content-type": "text/x; charset=utf-8" }, ["result"]],
				["object", 202, '{"a":1}', { "content-type": json }],
				["bytes", 200, "b", { "content-type": "application/octet-stream" }],
				["typed", 200, "b", { "content-type": "image/png" }],
				["nothing", 201, ""],
				["json", 200, '{"a":1}', { "content-type": json, "x-powered-by": undefined }, ["result"]],
				["send", 200, "<p>", { "content-type": "text/html; charset=utf-8", "content-length": undefined }],
				["cookie", 200, "", { "set-cookie": "a=1; Path=/ | b=2; Path=/", "x-a": "1 | 2" }],
				["redirect", 302, "Found. Redirecting to /there", { location: "/there" }],
				["sendStatus", 403, "Forbidden"],
				["writes", 200, "abc", {}, ["result"]],
				["unfinished", 200, "a", {}, ["result"]],
				["appended", 200, "ab"],
				["self", 203, ""],
				["later", 200, "ab", {}, ["head", "chunk", "chunk", "end"]],
				["file", 200, text, { "content-type": "application/javascript; charset=UTF-8" }],
				["noFile", 404, "Not Found"],
				["download", 200, text, { "content-disposition": 'attachment; filename="x.js"' }],
				["head", 206, "12345", { "x-a": "1", connection: undefined, date: undefined }],
				["hex", 200, "hi č", { "x-l": "caf\u00e9" }],
				["large", 200, "č".repeat(300000), { "content-length": "600000" }],
				["hop", 200, "x", { connection: undefined, "transfer-encoding": undefined }],
				["promise", 201, '{"a":1}', { "content-type": json }],
				["stream", 201, "a,b", { "content-type": "text/csv; charset=utf-8" }, ["head", "chunk", "end"]],
			];
			for (const [body, status, out, headers = {}, form] of wanted) {
				const answer = await worker.ask({ body });
				assert.deepEqual([body, answer.status, answer.text, answer.error], [body, status, out, undefined]);
				for (const [name, value] of Object.entries(headers)) assert.equal(answer.headers[name], value, `${body}: ${name}`);
				if (form) assert.deepEqual(answer.form, form, body);
			}
			assert.match((await worker.ask({ body: "short" })).error?.message ?? "", /less than the Content-Length/);
			assert.match((await worker.ask({ body: "early" })).error?.message ?? "", /103/);
			for (const body of ["long", "longStream"]) {
				const { error } = await worker.ask({ body });
				assert.equal(error?.code, "RESULT_INVALID");
				assert.match(error?.message ?? "", /\d+ bytes of headers, and the limit is 1048576$/);
			}
			await worker.until(({ body }) => body.toString() === "stream closed\n");
			const bad = (await worker.ask({ body: "bad" })).error;
			assert.match(bad?.message ?? "", /invalid char/i);
			if (major >= 10) assert.equal(bad?.code, "RESULT_INVALID");
			const { headers } = await worker.ask({ body: "cached" });
			const again = await worker.ask({ body: "cached", method: "GET", head: [`If-None-Match: ${headers["etag"]}`] });
			assert.deepEqual([again.status, again.text], [304, ""]);
			const head = await worker.ask({ body: "send", method: "HEAD" });
			assert.deepEqual([head.text, head.headers["content-length"]], ["", "3"]);
			assert.equal((await worker.ask({ body: "value", method: "HEAD" })).text, "missing");
			const large = await worker.ask({ body: "large", method: "HEAD" });
			assert.deepEqual([large.form, large.headers["content-length"]], [["result"], "600000"]);
		});
	});

	test("extensions.response stops a function that writes faster than its caller reads", async (t) => {
		const source = `
			exports.h = (event) => new Promise((resolve) => {
				const { response } = event.extensions;
				response.status(201);
				let n = 0;
				const more = () => {
					while (n < 300) { n += 1; if (!response.write("x".repeat(1000))) { console.log("waits"); response.once("drain", more); return; } }
					response.end(); resolve();
				};
				response.on("close", () => console.log("closed"));
				setTimeout(more, 30);
			});
		`;
		await withWorker(t, source, "h", async (worker) => {
			const id = worker.begin();
			worker.send({ type: "pause", id });
			await worker.until(({ body }) => body.toString() === "waits\n");
			await new Promise((resolve) => setTimeout(resolve, 50));
			const held = worker.frames.filter(({ line }) => line.type === "chunk").length;
			assert.ok(held <= 1, `${held} chunks came while it was paused`);
			worker.send({ type: "resume", id });
			const answer = await worker.answer(id);
			assert.deepEqual([answer.status, answer.body.length, answer.error], [201, 300_000, undefined]);
			await worker.until(({ body }) => body.toString() === "closed\n");
		});
	});

	test("extensions.request and .response work in an Express application of the function's own", async (t) => {
		const source = `
			const express = require(${JSON.stringify(fileURLToPath(new URL("../../../node_modules/express", import.meta.url)))});
			const app = express();
			app.use(express.json());
			app.post("/items/:id", (req, res) => res.status(201).json({ id: req.params.id, got: req.body, q: req.query.q }));
			exports.h = ({ extensions: { request, response } }) => new Promise((resolve) => { response.on("finish", resolve); app(request, response); });
		`;
		await withWorker(t, source, "h", async (worker) => {
			const answer = await worker.ask({
				path: "/items/7",
				query: "q=1",
				body: '{"a":1}',
				json: true,
				head: ["Content-Type: application/json", "Content-Length: 7"],
			});
			assert.deepEqual([answer.status, answer.text], [201, '{"id":"7","got":{"a":1},"q":"1"}']);
			assert.equal((await worker.ask({ path: "/none" })).status, 404);
		});
	});
});
