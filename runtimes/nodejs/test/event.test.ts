import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Call } from "../../../test/support/wire-end.ts";
import { major, since, withWorker } from "./worker.ts";

describe("nodejs: the event and the context of a call", () => {
	const source = `exports.h = ({ data }) => [Buffer.isBuffer(data) ? "Buffer" : typeof data, data]`;
	const multipart = ["content-type: multipart/form-data; boundary=x"];

	test("event.data is made of the body by its Content-Type", async (t) => {
		await withWorker(t, source, "h", async (worker) => {
			const wanted: [Call, unknown][] = [
				[{}, ["object", {}]],
				[{ json: true }, ["object", {}]],
				[{ body: "" }, ["Buffer", { type: "Buffer", data: [] }]],
				[{ body: "", json: true }, ["Buffer", { type: "Buffer", data: [] }]],
				[{ body: '{"a":"č"}', json: true }, ["object", { a: "č" }]],
				[{ body: '\ufeff{"a":1}', json: true }, ["object", { a: 1 }]],
				[{ body: '"\\ud800x"', json: true }, ["string", major < 12 ? "\ufffdx" : "\ud800x"]],
				[{ body: '{"a":1}' }, ["string", '{"a":1}']],
				[{ body: "a=1&b=2", head: ["Content-Type: application/x-www-form-urlencoded"] }, ["string", "a=1&b=2"]],
				[{ body: "--x\r\n", head: multipart }, ["object", {}]],
			];
			for (const [call, data] of wanted) assert.deepEqual(JSON.parse((await worker.ask(call)).text), data);
			for (const body of ["{", "NaN", "[Infinity]", "\ufeff", Buffer.from([34, 255, 34])]) {
				assert.equal((await worker.ask({ body, json: true })).error?.code, "BODY_MALFORMED", String(body));
			}
		});
	});

	test("each call has an event and a context that no other call can change", async (t) => {
		const keys = `exports.h = (event, context) => {
			const seen = { keys: Object.keys(event), id: event["event-id"], absent: event["event-type"], extensions: event.extensions, context };
			const text = JSON.stringify(seen);
			context.timeout = 0; event.extensions.source = "changed";
			return text;
		}`;
		await withWorker(t, keys, "h", async (worker) => {
			const wanted = {
				keys: ["data", "event-id", "event-type", "event-time", "event-namespace", "extensions"],
				id: "1",
				extensions: { source: "/here" },
				context: { "function-name": "h", timeout: 30, runtime: "nodejs24", "memory-limit": "128Mi" },
			};
			// A caller's attributes must not hide what the function relies on.
			const extensions = { source: "/here", request: "mine", response: "mine" };
			for (let i = 0; i < 2; i++) assert.deepEqual(JSON.parse((await worker.ask({ "event-id": "1", extensions })).text), wanted);
		});
	});

	test("extensions lists the request and the response, but makes them only when they are read", async (t) => {
		const source = `exports.h = (event) => {
			const loaded = () => Object.keys(require.cache).some((file) => file.endsWith("/express.js"));
			const keys = [Object.keys(event.extensions), "request" in event.extensions, Object.keys(JSON.parse(JSON.stringify(event.extensions)))];
			const before = loaded();
			const copy = Object.assign({}, event, { extensions: Object.assign({}, event.extensions) });
			copy.extensions.response.status(201);
			event.extensions.request = "mine";
			return [keys, before, loaded(), copy.extensions.request.method, event.extensions.request, Object.keys(event.extensions).length];
		}`;
		// The file must not mention that it uses them: else they are loaded ahead of the first call.
		const hidden = source
			.replaceAll("event.extensions", 'event["exten" + "sions"]')
			.replaceAll("copy.extensions", 'copy["exten" + "sions"]');
		await withWorker(t, hidden.replace("{ extensions:", '{ ["exten" + "sions"]:'), "h", async (worker) => {
			const answer = await worker.ask({ extensions: { source: "/here" } });
			const keys = ["source", "request", "response"];
			assert.deepEqual(JSON.parse(answer.text), [[keys, true, ["source"]], false, true, "GET", "mine", 3]);
			assert.equal(answer.status, 201);
		});
	});

	test("print without the worker's own fields", async (t) => {
		await withWorker(t, "exports.h = (event, context) => { console.log(event, context); }", "h", async (worker) => {
			await worker.ask({ extensions: { source: "/here" } });
			assert.match(worker.printed(), /source: '\/here'.*request: '\[made when asked for\]'/s);
			assert.doesNotMatch(worker.printed(), /Symbol|_events|wire/);
		});
	});

	test("context.signal is aborted when the call is cancelled", since(15), async (t) => {
		const wait = `exports.h = (event, context) => new Promise((resolve, reject) => {
			if (Object.keys(context).includes("signal")) reject(new Error("signal is enumerable"));
			context.signal.addEventListener("abort", () => { console.log("aborted"); reject(context.signal.reason || new Error("aborted")); });
		})`;
		await withWorker(t, wait, "h", async (worker) => {
			const id = worker.begin();
			const other = worker.begin();
			worker.send({ type: "cancel", id });
			assert.equal((await worker.answer(id)).error?.code, "CANCELLED");
			assert.equal(worker.printed("stdout", id), "aborted\n");
			assert.equal(worker.printed("stdout", other), "");
			worker.send({ type: "cancel", id: other });
			await worker.answer(other);
		});
	});
});
