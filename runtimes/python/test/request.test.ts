import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import { libraries, needsPython, start, startAny } from "./worker.ts";

describe("Python: event['extensions']['request']", needsPython, () => {
	test("the request is a bottle request, made when it is first read", async (t) => {
		const worker = startAny(t);
		const before = await worker.ask({ body: "answer = str('bottle' in sys.modules) + str('request' in event['extensions'])" });
		assert.equal(before.text, "FalseTrue");
		const body = `request = event['extensions']['request']
answer = [type(request).__mro__[-2].__name__, request.method, request.path, request.query.q, request.url, request.get_header('X-Name'),
    request.get_cookie('b'), request.headers.get('X-Given'), request.content_length == len(event['data']), request.body.read() == event['data'],
    request.remote_addr, request is event['extensions'].get('request'), len(event['extensions']), sorted(event['extensions'])]
answer = {'is': answer}`;
		const head = [
			"Host: example.org:81",
			"X-Name: Ada",
			"X_Name: Eve",
			"Cookie: a=1",
			"Cookie: b=2",
			"Transfer-Encoding: chunked",
			"X-Given: 1",
			"x-given: 2",
		];
		const { text } = await worker.ask({
			body,
			head,
			method: "PUT",
			path: "/a%20b",
			query: "q=1%202",
			address: "10.0.0.9",
			extensions: { source: "/here", request: "no" },
		});
		const url = "http://example.org:81/a%20b?q=1%202";
		assert.deepEqual(JSON.parse(text).is, [
			"BaseRequest",
			"PUT",
			"/a b",
			"1 2",
			url,
			"Ada",
			"2",
			"1, 2",
			true,
			true,
			"10.0.0.9",
			true,
			2,
			["request", "source"],
		]);
	});

	test("the request reads forms and uploaded files", async (t) => {
		const source = `
def handler(event, context):
    request = event['extensions']['request']
    upload = request.files.get('upload')
    return {'name': request.forms.get('name'), 'file': upload and [upload.raw_filename, upload.file.read().decode()]}
`;
		const worker = start(t, { "forms.py": source });
		const simple = await worker.ask({
			method: "POST",
			body: "name=Ada+L",
			head: ["Content-Type: application/x-www-form-urlencoded"],
		});
		assert.deepEqual(JSON.parse(simple.text), { name: "Ada L", file: null });
		const body = [
			'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n',
			'--b\r\nContent-Disposition: form-data; name="upload"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n',
		].join("");
		const multi = await worker.ask({ method: "POST", body, head: ["Content-Type: multipart/form-data; boundary=b"] });
		assert.deepEqual(JSON.parse(multi.text), { name: "Ada", file: ["a.txt", "hello"] });
	});

	test("the request holds a body of up to FUNC_MEMFILE_MAX bytes in memory", async (t) => {
		const code = "answer = type(event['extensions']['request'].body).__name__ #";
		assert.equal((await startAny(t).ask({ body: code + "x".repeat(200_000) })).text, "BytesIO");
		assert.notEqual((await startAny(t, { FUNC_MEMFILE_MAX: "1000" }).ask({ body: code + "x".repeat(2000) })).text, "BytesIO");
	});

	test("a helper named like a module of Python does not break the request, and stays the function's", async (t) => {
		const files = {
			"f.py":
				"import email, queue\ndef handler(event, context):\n    import email as again\n    return event['extensions']['request'].path + email.of + again.of + queue.of\n",
			"email.py": "of = 'mine'",
			"queue.py": "of = 'mine'",
		};
		assert.equal((await start(t, files).ask({ path: "/a/" })).text, "/a/mineminemine");
		const aio = { ...files, "f.py": files["f.py"].replace("def", "async def") };
		assert.equal((await start(t, aio).ask({ path: "/a/" })).text, "/a/mineminemine");
	});

	test("bottle is found if it is installed after the start", async (t) => {
		const later = join(folder(t), "later");
		const worker = startAny(t, { RUNTIME_LIBRARIES: later });
		const body = "answer = event['extensions']['request'].method";
		const { error } = await worker.ask({ method: "PUT", body });
		if (!error) return t.skip("this Python has its own bottle");
		symlinkSync(libraries(), later);
		assert.equal((await worker.ask({ method: "PUT", body })).text, "PUT");
	});

	test("without bottle, reading the request raises an error that names the cure, and everything else works", async (t) => {
		const worker = startAny(t, { RUNTIME_LIBRARIES: null });
		if (!(await worker.ask({ body: "import bottle" })).error) return t.skip("this Python has bottle of its own");
		const { error } = await worker.ask({ body: "event['extensions']['request']" });
		assert.match(error?.message ?? "", /add bottle to requirements.txt/);
		assert.equal((await worker.ask({ body: "answer = repr(event['extensions'])" })).text, "{}");
	});
});
