import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { suiteOwner } from "../../../test/support/owner.ts";
import type { WireEnd } from "../../../test/support/wire-end.ts";
import { missing, start } from "./support.ts";

describe("dotnetcore: JSON and paths", { skip: missing ?? false }, () => {
	const owner = suiteOwner();
	const members = `
	public object handler(Event k8Event, Context k8Context)
	{
		var request = k8Event.Extensions.HttpRequest;
		if (request.Method == "GET") return request.Path.Value + " " + request.HttpContext.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>().RawTarget;
		if (request.Path == "/lone") return new { text = "a\\ud800b" };
		if (request.Path == "/text") return "a\\ud800b";
		if (request.Path == "/bytes") { var seen = k8Event.Data; return k8Event.Bytes; }
		var data = (System.Text.Json.JsonElement)k8Event.Data;
		return data.ValueKind == System.Text.Json.JsonValueKind.String ? data.GetString() : data.GetRawText();
	}`;
	let served: Promise<WireEnd> | undefined;
	const ask = async (body: string | Buffer, path = "/") => {
		served ??= start(owner, members);
		return (await served).ask({ method: "POST", path, json: true, body });
	};

	for (const [title, json, data] of [
		["a byte order mark before JSON is ignored", '\ufeff"a"', "a"],
		["a high surrogate without its other half becomes U+FFFD", '"a\\ud83db"', "a\ufffdb"],
		["a low surrogate without its other half becomes U+FFFD", '"\\uDE00"', "\ufffd"],
		["two high surrogates before a low one are one U+FFFD and one character", '"\\ud83d\\ud83d\\ude00"', "\ufffd😀"],
		["a pair of surrogates stays", '"\\ud83d\\ude00"', "😀"],
		["a backslash before the letters of a surrogate stays", '"\\\\ud800\\\\\\ud800"', "\\ud800\\\ufffd"],
	] as const) {
		test(`${title}`, async () => {
			assert.equal((await ask(json)).text, data);
		});
	}

	test("the bytes of the body stay as they were sent where its data is repaired", async () => {
		const json = '\ufeff"\\ud800"';
		assert.equal((await ask(json, "/bytes")).text, json);
	});

	for (const json of ["NaN", "[Infinity]", '"\ufeff"\ufeff', "", "\ufeff", "{'a':1}", "[1] 2"]) {
		test(`the JSON body ${JSON.stringify(json)} is ${json === "" ? "not malformed" : "malformed"}`, async () => {
			const { error } = await ask(json, "/bytes");
			assert.equal(error?.code, json === "" ? undefined : "BODY_MALFORMED");
		});
	}

	test("a lone surrogate in a result is sent as U+FFFD", async () => {
		assert.equal((await ask("1", "/text")).text, "a\ufffdb");
		assert.deepEqual(JSON.parse((await ask("1", "/lone")).text), { text: "a\ufffdb" });
	});

	for (const [path, decoded] of [
		["/a%2Fb%20c", "/a%2Fb c"],
		["/%2f..%2F%C3%A9", "/%2f..%2Fé"],
		["/%252F%zz", "/%2F%zz"],
	] as const) {
		test(`the path ${path} is decoded to ${decoded}, and RawTarget is not decoded`, async () => {
			served ??= start(owner, members);
			assert.equal((await (await served).ask({ path, query: "q=%2F" })).text, `${decoded} ${path}?q=%2F`);
		});
	}
});
