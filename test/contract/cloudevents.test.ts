import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { before, describe } from "node:test";
import { startFake } from "../support/fake.ts";
import { type Loader, startLoader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { everyRuntime } from "../support/runtimes.ts";

const STRUCTURED = { "Content-Type": "application/cloudevents+json; charset=utf-8" };
const EVENT = { specversion: "1.0", id: "A-1", source: "/orders", type: "made", time: "2026-01-02T03:04:05Z" };

describe("a CloudEvent", () => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await startFake(owner);
	});
	/** Returns the `call` line that the worker received. */
	const line = async (body: string | Buffer, headers: Record<string, string>) => {
		const { status, text } = await loader.ask({ path: "/line", body, headers });
		assert.equal(status, 200, text);
		return JSON.parse(text);
	};
	const structured = (event: object | string, path = "/") =>
		loader.ask({ path, body: typeof event === "string" ? event : JSON.stringify(event), headers: STRUCTURED });

	test("in structured mode sets the event's fields, and all attributes become extensions", async () => {
		const event = { ...EVENT, datacontenttype: "application/json", subject: "č", myext: "x", number: 7, flag: true, data: { a: 1 } };
		const got = await line(JSON.stringify(event), STRUCTURED);
		assert.deepEqual(
			[got["event-id"], got["event-type"], got["event-time"], got["event-namespace"], got.json],
			["A-1", "made", "2026-01-02T03:04:05Z", "/orders", true],
		);
		const { data: _, ...attributes } = event;
		assert.deepEqual(got.extensions, { ...attributes, number: "7", flag: "true" });
		assert.equal((await structured(event)).text, '{"a":1}');
	});

	test("keeps all digits of numbers that exceed JavaScript's precision", async () => {
		const { text } = await structured(`${JSON.stringify(EVENT).slice(0, -1)},"data":{"n":12345678901234567890,"d":0.10,"e":1e400}}`);
		assert.equal(text, '{"n":12345678901234567890,"d":0.10,"e":1e400}');
	});

	test("with data_base64 has the decoded bytes as data", async () => {
		const bytes = Buffer.from([0, 1, 254, 255]);
		const event = { ...EVENT, datacontenttype: "application/octet-stream", data_base64: bytes.toString("base64") };
		const got = await structured(event);
		assert.deepEqual(got.body, bytes);
		assert.equal((await line(JSON.stringify(event), STRUCTURED)).json, undefined);
	});

	test("whose datacontenttype is not JSON has its data string as the body", async () => {
		const { text } = await structured({ ...EVENT, datacontenttype: "text/plain", data: 'say "hi"' });
		assert.equal(text, 'say "hi"');
		assert.equal((await structured({ ...EVENT, data: "json string" })).text, '"json string"');
	});

	test("without data calls the function without a body", async () => {
		const got = await line(JSON.stringify(EVENT), STRUCTURED);
		assert.deepEqual([got.body, got.json], [undefined, undefined]);
	});

	for (const missing of ["specversion", "id", "source", "type"]) {
		test(`without its ${missing} is a 400 and no call`, async () => {
			const before = (await loader.figures()).sum("function_calls_total");
			const { [missing as keyof typeof EVENT]: _, ...rest } = EVENT;
			const refused = await structured(rest);
			assert.deepEqual([refused.status, refused.text], [400, `Bad Request: not a CloudEvent: the attribute "${missing}" is missing`]);
			const headers = Object.fromEntries(Object.entries(rest).map(([name, value]) => [`ce-${name}`, String(value)]));
			// Without a specversion it is no event.
			if (missing !== "specversion") assert.equal((await loader.ask({ body: "x", headers })).text, refused.text);
			assert.equal((await loader.figures()).sum("function_calls_total"), before);
		});
	}

	for (const body of ["", "[]", "null", "42", "{", '"x"']) {
		test(`of ${JSON.stringify(body)} is a 400`, async () => {
			assert.equal((await structured(body)).status, 400);
		});
	}

	test("in binary mode sets the event's fields from percent-decoded headers, and keeps the body", async () => {
		const headers = {
			"ce-specversion": "1.0",
			"CE-Id": "B-2",
			"ce-source": "/orders",
			"ce-type": "made",
			"ce-time": "2026-01-02T03:04:05Z",
			"ce-subject": "%C4%8D%20100%25",
			"Content-Type": "application/json",
		};
		const got = await line('{"a":1}', headers);
		assert.deepEqual(
			[got["event-id"], got["event-type"], got["event-time"], got["event-namespace"], got.json, got.body],
			["B-2", "made", "2026-01-02T03:04:05Z", "/orders", true, 7],
		);
		assert.equal(got.extensions.subject, "č 100%");
		assert.equal(got.extensions.datacontenttype, "application/json");
	});

	test("in binary mode with an invalid percent escape keeps that escape unchanged", async () => {
		const got = await line("x", { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t", "ce-subject": "100%" });
		assert.equal(got.extensions.subject, "100%");
	});

	test("headers that begin with ce- but lack ce-specversion do not make a CloudEvent", async () => {
		const got = await line("x", { "ce-id": "1", "ce-type": "t" });
		assert.deepEqual([got["event-id"], got.extensions], [undefined, undefined]);
	});

	test("event-* headers take precedence over the envelope's attributes", async () => {
		assert.equal((await line(JSON.stringify(EVENT), { ...STRUCTURED, "event-id": "mine" }))["event-id"], "mine");
	});
});

everyRuntime("a structured CloudEvent", ({ id, folder, libraries }) => {
	// request.* returns the event's data, and the type, body and length of the request.
	const functions = join(folder, "test/functions");
	const file = existsSync(functions) ? readdirSync(functions).find((name) => name.startsWith("request.")) : undefined;
	const skip = file === undefined && "its worker takes no envelopes, or has another test of them";
	test("is in the request as it came, and its data is the event's", { skip }, async (t) => {
		const name = file as string;
		const files = { [name]: readFileSync(join(functions, name), "utf8") };
		const loader = await startLoader(t, { files, env: { MOD_NAME: "request", FUNC_RUNTIME: id, ...libraries() } });
		const body = JSON.stringify({ ...EVENT, data: { a: 1 } });
		const { data, ...request } = JSON.parse((await loader.ask({ body, headers: STRUCTURED })).text);
		assert.deepEqual(typeof data === "string" ? JSON.parse(data) : data, { a: 1 });
		assert.deepEqual(request, { type: STRUCTURED["Content-Type"], body, length: String(body.length) });
	});
});

everyRuntime("a CloudEvent", ({ serve }) => {
	test("reaches the function with data, event-* fields and extensions", async (t) => {
		const loader = await serve(t, "types");
		const body = JSON.stringify({ ...EVENT, data: { a: 1 } });
		const { data, ...event } = JSON.parse((await loader.ask({ body, headers: STRUCTURED })).text);
		assert.deepEqual(event, { id: "A-1", type: "made", time: EVENT.time, namespace: "/orders", source: "/orders" });
		assert.equal(typeof data === "string" ? data : JSON.stringify(data), '{"a":1}');
	});
});
