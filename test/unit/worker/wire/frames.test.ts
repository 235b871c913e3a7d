import assert from "node:assert/strict";
import { Writable } from "node:stream";
import test, { describe } from "node:test";
import { quote } from "../../../../kubeless-loader/src/worker/wire/call-line.ts";
import { FrameWriter } from "../../../../kubeless-loader/src/worker/wire/frame-writer.ts";
import { FrameReader, isCount, WireError } from "../../../../kubeless-loader/src/worker/wire/frames.ts";

function read(...chunks: (string | Buffer)[]): { frames: [object, string, string][]; unfinished: boolean } {
	const frames: [object, string, string][] = [];
	const reader = new FrameReader((line, bytes, headStart, bodyStart, end) => {
		frames.push([{ ...line }, bytes.toString("latin1", headStart, bodyStart), bytes.toString("latin1", bodyStart, end)]);
	});
	for (const chunk of chunks) reader.push(Buffer.from(chunk as string));
	return { frames, unfinished: reader.unfinished };
}

const breaks = (rule: string, ...chunks: (string | Buffer)[]) =>
	assert.throws(
		() => read(...chunks),
		(error) => error instanceof WireError && error.rule === rule && error.message.includes(`wire rule ${rule}`),
	);

describe("FrameReader", () => {
	test("passes a long result on in parts, wherever the reads end, and holds its head together", () => {
		const head = "X-A: 1\r\n";
		const body = Buffer.alloc(200_000, "abcdefghij");
		const frame = Buffer.concat([Buffer.from(`{"type":"result","id":1,"head":${head.length},"body":${body.length}}\n${head}`), body]);
		const next = Buffer.from('{"type":"result","id":2}\n');
		for (const first of [10, 40, 48, 52, 60, 70, 1000, 150_000]) {
			const seen: Buffer[] = [];
			let heads = "";
			let others = 0;
			const reader = new FrameReader((line, bytes, headStart, bodyStart, end) => {
				if (line.id === 2) return void others++;
				heads += bytes.toString("latin1", headStart, bodyStart);
				seen.push(bytes.subarray(bodyStart, end));
			});
			const all = Buffer.concat([frame, next]);
			reader.push(all.subarray(0, first));
			for (let at = first; at < all.length; at += 65_536) reader.push(all.subarray(at, at + 65_536));
			assert.deepEqual([heads, Buffer.concat(seen).equals(body), others, reader.unfinished], [head, true, 1, false], `first read ${first}`);
			assert.ok(seen.length > 1);
		}
	});

	test("reads a line without head and body", () => {
		assert.deepEqual(read('{"type":"end","id":1}\n').frames, [[{ type: "end", id: 1 }, "", ""]]);
	});

	test("reads head and body, and the frame that follows in the same chunk", () => {
		const { frames, unfinished } = read('{"type":"result","head":3,"body":2}\nabcde{"type":"end"}\n');
		assert.deepEqual(frames, [
			[{ type: "result", head: 3, body: 2 }, "abc", "de"],
			[{ type: "end" }, "", ""],
		]);
		assert.equal(unfinished, false);
	});

	test("waits for the rest of an incomplete line, head or body", () => {
		const text = '{"type":"result","head":3,"body":2}\nabcde';
		for (let cut = 1; cut < text.length; cut++) {
			assert.deepEqual(read(text.slice(0, cut)), { frames: [], unfinished: true });
			assert.equal(read(text.slice(0, cut), text.slice(cut)).frames.length, 1);
		}
	});

	test("passes on a chunk's body in parts as they arrive", () => {
		const { frames } = read('{"type":"chunk","id":1,"body":5}\nab', "cd", 'e{"type":"end"}\n');
		assert.deepEqual(
			frames.map(([, , body]) => body),
			["ab", "cd", "e", ""],
		);
	});

	test("treats line breaks and all other bytes within head and body as content", () => {
		assert.deepEqual(read('{"type":"x","body":4}\n\n{}\n').frames, [[{ type: "x", body: 4 }, "", "\n{}\n"]]);
	});

	test("accepts a line of 1 MiB, and rejects a longer one", () => {
		const start = '{"type":"x","a":"';
		const long = `${start}${"a".repeat(1024 * 1024 - start.length - 2)}"}`;
		assert.equal(read(`${long}\n`).frames.length, 1);
		breaks("2.3", `${long} \n`);
		breaks("2.3", `${long}  `);
		breaks("2.3", long, "  ");
	});

	test("passes on an answer with a head over 1 MiB without its blocks, and the frame behind it whole", () => {
		const head = "x".repeat(1024 * 1024 + 1);
		const text = `{"type":"result","id":1,"head":${head.length},"body":3}\n${head}abc{"type":"result","head":1,"body":1}\nhb`;
		for (const cut of [text.length, 60, 1000, text.length - 40, text.length - 1]) {
			const { frames } = read(text.slice(0, cut), text.slice(cut));
			assert.deepEqual(frames, [
				[{ type: "result", id: 1, head: head.length, body: 3 }, "", ""],
				[{ type: "result", head: 1, body: 1 }, "h", "b"],
			]);
		}
	});

	for (const [rule, line] of [
		["2.1", "ciao"],
		["2.1", ""],
		["2.1", "[]"],
		["2.1", "null"],
		["2.1", '"type"'],
		["2.2", "{}"],
		["2.2", '{"type":1}'],
		["2.3", '{"type":"x","head":-1}'],
		["2.3", '{"type":"x","head":1.5}'],
		["2.3", '{"type":"x","head":"1"}'],
		["2.3", '{"type":"x","head":null}'],
		["2.3", '{"type":"x","head":1048577}'],
		["2.3", '{"type":"x","body":1073741825}'],
		["2.3", '{"type":"x","body":1e400}'],
	] as const) {
		test(`reports ${line || "an empty line"} as a break of rule ${rule}`, () => breaks(rule, `${line}\n`));
	}

	test("reports invalid UTF-8 as a break of rule 2.1, but accepts U+FFFD itself", () => {
		breaks("2.1", Buffer.from([...Buffer.from('{"type":"'), 0xff, ...Buffer.from('"}\n')]));
		assert.equal(read('{"type":"\ufffd"}\n').frames.length, 1);
	});
});

describe("FrameWriter", () => {
	test("writes all frames of one event loop turn with one write, in order", async () => {
		const writes: Buffer[] = [];
		const socket = new Writable({
			write(chunk, _encoding, done) {
				writes.push(chunk);
				done();
			},
		});
		const writer = new FrameWriter(socket);
		writer.send('{"a":1}\n', [Buffer.from([0xff]), Buffer.from([0])]);
		writer.send('{"b":2}\nh\u00e9');
		await new Promise(setImmediate);
		assert.equal(writes.length, 1);
		assert.deepEqual(writes[0], Buffer.from('{"a":1}\n\u00ff\0{"b":2}\nh\u00e9', "latin1"));
		writer.send("x\n", [Buffer.alloc(5000, 1)]);
		writer.send("y\n");
		await new Promise(setImmediate);
		assert.deepEqual(Buffer.concat(writes.slice(1)), Buffer.concat([Buffer.from("x\n"), Buffer.alloc(5000, 1), Buffer.from("y\n")]));
	});
});

test("quote returns JSON in ASCII", () => {
	for (const text of ["", "plain", 'a"b\\c', "tab\t\n\0", "č 日本 🎉", "\ud800 alone", "\x7f\x80\u2028"]) {
		assert.match(quote(text), /^[ -~]*$/);
		assert.equal(JSON.parse(quote(text)), text);
	}
});

test("a count is a whole number from 0 to 2^53 - 1", () => {
	for (const value of [0, 1, 2 ** 53 - 1]) assert.ok(isCount(value));
	for (const value of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, "1", null, undefined, [1]]) assert.ok(!isCount(value));
	assert.ok(!isCount(11, 10));
});
