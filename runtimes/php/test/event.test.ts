import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JSON_TYPE } from "../../../test/support/ask.ts";
import { calls, play, serve, skip } from "./play.ts";

describe("php: the event", { skip }, () => {
	test("the event is a stdClass whose JSON data has objects", async (t) => {
		const loader = await serve(
			t,
			`function h($event, $context) {
				return [get_class($event), get_class($context), $event instanceof stdClass, $event->data, $context->timeout, isset($event->extensions->request)];
			}`,
		);
		const json = (body: string, type = "application/json") => loader.ask({ body, headers: { "Content-Type": type } });
		const { text } = await json('{"a":{"b":[1]}}', "application/vnd.x+json; charset=utf-8");
		assert.deepEqual(JSON.parse(text), ["stdClass", "stdClass", true, { a: { b: [1] } }, "180", true]);
		assert.equal(JSON.parse((await loader.ask()).text)[3], "", "data without a body is an empty string");
		assert.equal(JSON.parse((await json("")).text)[3], null, "data of an empty JSON body is null");
		assert.equal((await json("{")).status, 400);
	});

	test("the event reaches a handler with fewer parameters, one in a namespace, and a closure that the file returns", async (t) => {
		await play(t, "function h() { return 'no parameters'; }", calls({ x: { body: "no parameters" } }));
		await play(t, "namespace My\\Own; function H($event) { return __FUNCTION__; }", calls({ x: { body: "My\\Own\\H" } }));
		await play(t, 'return fn ($event) => "returned $event->data";', calls({ x: { body: "returned x" } }));
	});

	test("the event has the request and the response as PSR-7 messages", async (t) => {
		const loader = await serve(
			t,
			`function h($event, $context) {
				$request = $event->extensions->request;
				if ($request->getMethod() === 'PUT') {
					return new (get_class($event->extensions->response))(418, ['Content-Type' => 'text/teapot'], 'short');
				}
				$event->extensions->response = $event->extensions->response->withStatus(202)->withHeader('X-A', '1');
				$event->extensions->response->getBody()->write('written, then ');
				return json_encode([
					(string) $request->getUri(), $request->getQueryParams(), $request->getParsedBody(), $request->getCookieParams(),
					$request->getHeaderLine('x-b'), (string) $request->getBody(), $request->getServerParams()['REQUEST_URI'],
				], JSON_UNESCAPED_SLASHES);
			}`,
		);
		const headers = ["Host", "me", "Content-Type", "application/x-www-form-urlencoded", "Cookie", "c=d%20e; f=g", "X-B", "1", "X-B", "2"];
		const { status, headers: got, text } = await loader.ask({ path: "//a/b?q[]=1&q[]=2", headers, method: "POST", body: "k=v+w" });
		assert.equal(status, 202);
		assert.equal(got["x-a"], "1");
		assert.deepEqual(JSON.parse(text.replace(/^written, then /, "")), [
			"http://me/a/b?q%5B%5D=1&q%5B%5D=2",
			{ q: ["1", "2"] },
			{ k: "v w" },
			{ c: "d e", f: "g" },
			"1, 2",
			"k=v+w",
			"//a/b?q[]=1&q[]=2",
		]);
		const teapot = await loader.ask({ method: "PUT", body: "{}", headers: JSON_TYPE });
		assert.deepEqual([teapot.status, teapot.headers["content-type"], teapot.text], [418, "text/teapot", "short"]);
	});

	test("headers over 1 MiB end their own call and not the worker", (t) =>
		play(
			t,
			`function h($event) {
				if ($event->data === 'long') { $event->extensions->response = $event->extensions->response->withHeader('X-A', str_repeat('a', 1 << 20)); }
				return 'short';
			}`,
			calls({
				long: { code: "RESULT_INVALID", message: { $contains: "bytes of headers: the limit is" } },
				short: { body: "short" },
			}),
		));
});
