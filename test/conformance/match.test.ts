import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Header } from "../../kubeless-loader/src/conform/decoder.ts";
import { compare, compareBody, compareHead } from "../../kubeless-loader/src/conform/match.ts";

const VALUES: [wanted: unknown, fits: unknown[], differs: unknown[]][] = [
	["a", ["a"], ["b", undefined, ["a"]]],
	[1, [1], ["1", 2, undefined]],
	[null, [null], [undefined, "", 0]],
	[["a", 1], [["a", 1]], [["a"], [1, "a"], ["a", 1, 2], "a,1"]],
	[{ a: 1 }, [{ a: 1 }, { a: 1, b: 2 }], [{}, { b: 1 }, null, "a", undefined]],
	[{ a: { b: [1] } }, [{ a: { b: [1], c: 2 } }], [{ a: 1 }, { a: { b: [2] } }]],
	[{ $any: true }, ["", 0, null, []], [undefined]],
	[{ $absent: true }, [undefined], [null, "", 0]],
	[{ $none: true }, [undefined, null, ""], [0, false, " "]],
	[{ $text: true }, ["a"], ["", 1, undefined]],
	[{ $not: 0 }, [1, "SIGKILL", undefined], [0]],
	[{ $oneOf: ["a", { $absent: true }] }, ["a", undefined], ["b", null]],
	[{ $atLeast: 1, $atMost: 3 }, [1, 3], [0, 4, "2", undefined]],
	[{ $contains: "oo" }, ["boom", ["oo"]], ["bom", ["boom"], undefined, 1]],
	[{ $contains: ["o", "m"] }, ["om", ["m", "n", "o"]], ["o", ["om"]]],
];

const BODIES: [wanted: unknown, fits: string[], differs: string[]][] = [
	["ciao", ["ciao"], ["cia", "ciao ", ""]],
	["", [""], [" "]],
	[{ base64: "AAE=" }, ["\0\x01"], ["\0", "AAE="]],
	[{ repeat: { base64: "YQ==" }, times: 3 }, ["aaa"], ["aa", "aaaa"]],
	[{ $length: 2 }, ["ab"], ["a", "abc"]],
	[{ $sha256: "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603" }, ["ab"], ["ba", ""]],
	[{ $json: { a: [1] } }, ['{"b":2,"a":[1]}'], ['{"a":[2]}', "{", ""]],
	[{ $contains: "b", $length: 3 }, ["abc"], ["b", "acd"]],
];

const HEAD: Header[] = [
	["X-Name", "Ada"],
	["set-cookie", "a=1"],
	["Set-Cookie", "b=2"],
];

const HEADS: [wanted: object, fits: boolean][] = [
	[{ "x-NAME": "Ada" }, true],
	[{ "x-name": "Grace" }, false],
	[{ "Set-Cookie": ["a=1", "b=2"] }, true],
	[{ "Set-Cookie": "a=1" }, false],
	[{ "X-More": { $absent: true } }, true],
	[{ "X-Name": { $absent: true } }, false],
];

describe("the matchers of vectors", () => {
	for (const [wanted, fits, differs] of VALUES) {
		test(`matchers: a value is compared with ${JSON.stringify(wanted)}`, () => {
			for (const value of fits) assert.equal(compare(wanted, value, "it"), undefined);
			for (const value of differs) assert.match(compare(wanted, value, "it") ?? "no difference found", /^it.* is /);
		});
	}

	for (const [wanted, fits, differs] of BODIES) {
		test(`matchers: a body is compared with ${JSON.stringify(wanted)}`, () => {
			for (const text of fits) assert.equal(compareBody(wanted, Buffer.from(text), "it"), undefined);
			for (const text of differs) assert.match(compareBody(wanted, Buffer.from(text), "it") ?? "no difference found", /^it.* (is|has) /);
		});
	}

	for (const [wanted, fits] of HEADS) {
		test(`matchers: a head is compared with ${JSON.stringify(wanted)}`, () => {
			assert.equal(compareHead(wanted, HEAD, "head") === undefined, fits);
		});
	}

	test("an unknown matcher is an error of the vector", () => {
		assert.throws(() => compare({ $matches: "a" }, "a", "it"), /There is no matcher \$matches/);
	});
});
