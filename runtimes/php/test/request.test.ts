import { describe, test } from "node:test";
import { asked, play, skip } from "./play.ts";

// The request where PHP has it under a web server, and with the methods of Slim's request.

const form = (body: string) => ({
	method: "POST",
	head: ["Content-Type: application/x-www-form-urlencoded"],
	body,
});
const MULTIPART = [
	'--B\r\nContent-Disposition: form-data; name="a[x]"\r\n\r\nvalue\r\n',
	'--B\r\nContent-Disposition: form-data; name="none"\r\n\r\n\r\n',
	'--B\r\nContent-Disposition: form-data; name="up[]"; filename="C:\\dir\\a.txt"\r\nContent-Type: text/plain\r\n\r\nfile\r\nbytes\r\n',
	'--B\r\nContent-Disposition: form-data; name="up[]"; filename=""\r\n\r\n\r\n--B--\r\n',
].join("");
const upload = { method: "POST", head: ['Content-Type: multipart/form-data; boundary="B"'], body: MULTIPART };

describe("php: the superglobals", { skip }, () => {
	const source = (value: string) => `function h($event) { return json_encode(${value}, JSON_UNESCAPED_SLASHES); }`;

	test("$_GET, $_POST, $_COOKIE and $_REQUEST have the request's fields, and the next call does not see them", (t) =>
		play(t, source("[$_GET, $_POST, $_COOKIE, $_REQUEST['a'] ?? null, $_REQUEST['b'] ?? null]"), [
			...asked(
				1,
				{ ...form("b=v+w&c[d]=2"), query: "a=1", head: [...form("").head, "Cookie: k=x%20y; k=second"] },
				{ body: '[{"a":"1"},{"b":"v w","c":{"d":"2"}},{"k":"x y"},"1","v w"]' },
			),
			...asked(2, { method: "GET" }, { body: "[[],[],[],null,null]" }),
		]));

	test("$_SERVER has method, URI, headers, the caller's address and the login", (t) => {
		const keys = ["REQUEST_METHOD", "REQUEST_URI", "QUERY_STRING", "REMOTE_ADDR", "HTTP_X_B", "CONTENT_TYPE", "SERVER_NAME", "SERVER_PORT"];
		const values = [...keys, "PHP_AUTH_USER", "PHP_AUTH_PW"].map((key) => `$_SERVER['${key}'] ?? null`);
		const head = ["Host: example.org:81", "X-B: 1", "Content-Type: text/x", "Authorization: Basic dTpwOnc="];
		return play(t, source(`[${values.join()}]`), [
			...asked(
				1,
				{ method: "PUT", path: "/p%2Fq", query: "x=1", address: "10.1.2.3", head },
				{ body: '["PUT","/p%2Fq?x=1","x=1","10.1.2.3","1","text/x","example.org","81","u","p:w"]' },
			),
			...asked(2, { method: "GET" }, { body: { $contains: '["GET","/","",null,null,null,"localhost","80",null,null]' } }),
		]);
	});

	test("$_SERVER has no HTTP_PROXY of the caller's, and no header whose name has an underscore", (t) =>
		play(
			t,
			source("[$_SERVER['HTTP_PROXY'] ?? '', $_SERVER['HTTP_X_B'] ?? null]"),
			asked(1, { head: ["Proxy: http://evil", "X_B: 1"] }, { body: '["",null]' }),
			{ HTTP_PROXY: "" },
		));

	test("php://input has the body every time it is read, and the next call does not see it", (t) =>
		play(t, source("[file_get_contents('php://input'), strlen(file_get_contents('php://input'))]"), [
			...asked(1, { body: "one" }, { body: '["one",3]' }),
			...asked(2, { method: "GET" }, { body: '["",0]' }),
			...asked(3, { body: "x".repeat(100_000) }, { body: { $contains: "100000]" } }),
		]));

	test("getallheaders() has the request's headers", (t) =>
		play(t, source("getallheaders()"), asked(1, { head: ["X-B: 1", "Accept: */*"] }, { body: '{"X-B":"1","Accept":"*/*"}' })));

	test("$_POST and $_FILES have a multipart form, and its temporary files are deleted after the call", (t) =>
		play(
			t,
			`function h($event) {
				global $path;
				if ($event->data === 'look') return json_encode([file_exists($path), $_FILES]);
				$path = $_FILES['up']['tmp_name'][0];
				$about = array_intersect_key($_FILES['up'], ['name' => 1, 'type' => 1, 'error' => 1, 'size' => 1]);
				return json_encode([$_POST, $about, file_get_contents($path)]);
			}`,
			[
				...asked(1, upload, {
					body: '[{"a":{"x":"value"},"none":""},{"name":["a.txt",""],"type":["text\\/plain",""],"error":[0,4],"size":[11,0]},"file\\r\\nbytes"]',
				}),
				...asked(2, { body: "look" }, { body: "[false,[]]" }),
			],
		));

	test("the superglobals are filled for code in a file that the handler includes", (t) =>
		play(t, "function h() { return require 'other.php'; }", asked(1, { query: "a=1" }, { body: '{"a":"1"}' }), {}, undefined, {
			"other.php": "<?php return $_GET;",
		}));
});

describe("php: $event->extensions", { skip }, () => {
	const source = `
		function h($event) {
			$request = $event->extensions->request;
			$response = $event->extensions->response;
			switch ($request->getQueryParam('do')) {
				case 'read': return json_encode([
					$request->isPost(), $request->getMediaType(), $request->getParam('a'), $request->getParsedBodyParam('b'), $request->getParam('c', 'none'),
					$request->getServerParam('REMOTE_ADDR'), $request->withAttribute('x', 1)->isGet(),
				]);
				case 'upload':
					$file = $request->getUploadedFiles()['up'][0];
					return json_encode([$request->getParsedBody(), $file->getClientFilename(), (string) $file->getStream(), $file->getError()]);
				case 'json': return $response->withHeader('X-A', '1')->withJson(['a' => 1], 201);
				case 'write': $response->write('one ')->write('two'); return;
				case 'redirect': return $response->withRedirect('/there');
			}
		}`;
	const ask = (query: string) => ({ query: `do=${query}` });

	test("the request has the methods of Slim's request", (t) =>
		play(t, source, [
			...asked(
				1,
				{ ...form("a=posted&b=2"), query: "do=read&a=asked", address: "::1" },
				{ body: '[true,"application\\/x-www-form-urlencoded","posted","2","none","::1",false]' },
			),
			...asked(2, { ...upload, ...ask("upload") }, { body: '[{"a":{"x":"value"},"none":""},"C:\\\\dir\\\\a.txt","file\\r\\nbytes",0]' }),
		]));

	test("the response has the methods of Slim's response", (t) =>
		play(t, source, [
			...asked(1, ask("json"), { status: 201, head: { "X-A": "1", "Content-Type": "application/json;charset=utf-8" }, body: '{"a":1}' }),
			...asked(2, ask("write"), { body: "one two" }),
			...asked(3, ask("redirect"), { status: 302, head: { Location: "/there" }, body: "" }),
		]));
});

describe("php: JSON in the body", { skip }, () => {
	const json = (body: string) => ({ method: "POST", json: true, head: ["Content-Type: application/json"], body });

	test("JSON may begin with a byte order mark, and half a surrogate pair becomes U+FFFD", (t) =>
		play(t, "function h($event) { return $event->data; }", [
			...asked(1, json('\ufeff{"a":1}'), { body: '{"a":1}' }),
			...asked(2, json('["\\ud800","\\\\ud800","\\ud83d\\ude00 \\uDC00x"]'), { body: '["�","\\\\ud800","😀 �x"]' }),
			...asked(3, json("[NaN]"), { code: "BODY_MALFORMED" }),
		]));
});
