import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Conversation } from "../../kubeless-loader/src/conform/conversation.ts";
import { Decoder } from "../../kubeless-loader/src/conform/decoder.ts";
import { FrameReader } from "../../kubeless-loader/src/worker/wire/frames.ts";

// Tests that the examples of PROTOCOL.md are valid, byte for byte.

const text = readFileSync(join(import.meta.dirname, "../../runtimes/PROTOCOL.md"), "utf8");
const titles: string[] = [];
const examples = [...text.matchAll(/^## ([^\n]+)\n|^```wire\n([^]*?)^```$/gm)].reduce<Example[]>((found, [, title, wire]) => {
	if (wire !== undefined) found.push({ title: titles.at(-1) ?? "", frames: framesOf(wire) });
	else titles.push(title ?? "");
	return found;
}, []);

interface Example {
	title: string;
	frames: { toWorker: boolean; bytes: Buffer }[];
}

describe("an example of PROTOCOL.md", () => {
	test("PROTOCOL.md has an example in every chapter with frames, and for every type of frame", () => {
		assert.deepEqual(
			examples.map(({ title }) => title.split(" ")[0]),
			["Words", "2", "3", "4", "5", "6", "7", "8"],
		);
		const types = new Set(examples.flatMap(({ frames }) => frames.map(({ bytes }) => /"type":"(\w+)"/.exec(bytes.toString())?.[1])));
		const named = [...text.matchAll(/`(call|ready|failed|result|head|chunk|end|error|pause|resume|cancel|stop|log|withdraw|withdrawn)`/g)];
		for (const [, type] of named) assert.ok(types.has(type), `no example has ${type}`);
		assert.equal(new Set(named.map(([, type]) => type)).size, 15);
	});

	for (const { title, frames } of examples) {
		test(`PROTOCOL.md (${title}): the example is complete frames, which the runner and the loader read alike`, () => {
			for (const { bytes, toWorker } of frames) {
				const decoder = new Decoder();
				const [frame, ...more] = decoder.decode(bytes);
				decoder.end();
				assert.ok(frame && more.length === 0, bytes.toString());
				const [line = ""] = bytes.toString().split("\n", 1);
				if (toWorker) assert.match(line, /^[\x20-\x7e]*$/, "the loader writes lines in ASCII (2.6)");
				const seen: unknown[] = [];
				const reader = new FrameReader((read, all, headStart, bodyStart, end) => {
					seen.push([read, all.toString("latin1", headStart, bodyStart), all.toString("latin1", bodyStart, end)]);
				});
				reader.push(bytes);
				assert.ok(!reader.unfinished);
				const head = frame.head.map(([name, value]) => `${name}: ${value}\r\n`).join("");
				assert.deepEqual(seen, [[frame.line, head, frame.body.toString("latin1")]]);
			}
		});

		test(`PROTOCOL.md (${title}): the example breaks no rule and leaves no call open`, () => {
			const conversation = new Conversation();
			for (const { bytes, toWorker } of frames) {
				const [frame] = new Decoder().decode(bytes);
				if (!frame) assert.fail("no frame");
				const { type, id } = frame.line;
				if (!toWorker) conversation.take(frame);
				else if (type === "call") conversation.call(id as number);
				else if (type === "withdraw") conversation.withdraw();
				else if (id !== undefined) assert.ok(conversation.calls.has(id as number), `${type} is about a call that was sent`);
			}
			assert.equal(conversation.open, 0);
		});
	}
});

/**
 * Returns the frames of a block. An arrow begins a frame; the indented lines below are its head and
 * body, with escapes.
 */
function framesOf(wire: string): Example["frames"] {
	return wire
		.split(/^(?=[→←] )/m)
		.map((part) => part.split("\n"))
		.map(([first = "", ...rest]) => {
			const behind = rest.map((line) => line.replace(/^ {2}/, "")).join("");
			const bytes = behind.replaceAll("\\r", "\r").replaceAll("\\n", "\n");
			return { toWorker: first.startsWith("→"), bytes: Buffer.from(`${first.slice(2)}\n${bytes}`) };
		});
}
