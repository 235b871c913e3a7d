import type { Call } from "./conversation.ts";
import type { Frame } from "./decoder.ts";
import { bytesOf, type Encoded, encode, encodeCall, encodeCalls, withId } from "./encoder.ts";
import { Mismatch } from "./fault.ts";
import { compare, compareBody, compareHead, type Difference } from "./match.ts";
import { exitWords, type Player, START_MS, WITHIN_MS } from "./player.ts";
import type { Expected, SendStep, Split, Step } from "./vectors.ts";

/** The pause between two bytes, in ms: the worker wakes up for the first one. */
const BYTE_PAUSE_MS = 1;
/**
 * The pause between two parts of a frame, in ms: a worker on a busy machine has read the first one
 * by then.
 */
const PART_PAUSE_MS = 25;
/** How often a silent call is checked, in ms. */
const QUIET_TICK_MS = 10;

/** Performs one step, in the order of the table in docs/conformance.md. */
export async function perform(player: Player, step: Step): Promise<void> {
	if ("raw" in step) return player.sendRaw(bytesOf(step.raw));
	if ("call" in step || "send" in step) return send(player, step);
	if ("joined" in step) return player.send(step.joined.flatMap(framesOf));
	if ("close" in step) return player.close();
	if ("kill" in step) return player.kill();
	if ("expect" in step) return expectFrame(player, step.expect, step.within);
	if ("answer" in step) return expectAnswers(player, step.answer, step.times ?? 1, step.within);
	if ("ended" in step) return expectEnd(player, step.ended, step.within);
	if ("order" in step) return expectOrder(player, step.order, step.within);
	if ("quiet" in step) return expectQuiet(player, step.quiet, step.ms, step.within ?? step.ms);
	if ("output" in step) return expectOutput(player, step.stream, step.output, step.within);
	if ("alive" in step) return expectAlive(player, step.alive);
	if ("eof" in step) return expectEof(player, step.within);
	if ("exit" in step) return expectExit(player, step.exit, step.within);
	throw new Error(`There is no step ${JSON.stringify(step)}.`);
}

function framesOf(step: SendStep): Encoded[] {
	if ("raw" in step) return [{ line: bytesOf(step.raw), head: Buffer.alloc(0), body: Buffer.alloc(0) }];
	if ("send" in step) return [encode(step.send)];
	return encodeCalls(step.call, step.times ?? 1).map((call) => ({ ...call, ahead: step.ahead === true }));
}

async function send(player: Player, step: Exclude<SendStep, { raw: unknown }>): Promise<void> {
	if (!step.split) return player.send(framesOf(step));
	const frame = "send" in step ? encode(step.send) : encodeCall(step.call);
	const pause = step.split === "bytes" ? BYTE_PAUSE_MS : PART_PAUSE_MS;
	return player.sendPieces(frame, cut(frame, step.split), pause);
}

function cut(frame: Encoded, split: Split): Buffer[] {
	const whole = Buffer.concat([frame.line, frame.head, frame.body]);
	const { line, head, body } = frame;
	const places =
		split === "bytes"
			? whole.keys()
			: [line.length / 2, line.length + head.length / 2, line.length + head.length + body.length / 2].map(Math.floor);
	const cuts = [...new Set([0, ...places, whole.length])];
	return cuts.slice(1).map((end, i) => whole.subarray(cuts[i], end));
}

/** Expects the next frame of a call, or the first frame of the worker. */
async function expectFrame(player: Player, wanted: Expected, within?: number): Promise<void> {
	const expected = `a frame like ${print(wanted)}`;
	const { id } = wanted;
	const frame: Frame =
		id === undefined
			? await player.until(expected, () => player.conversation.started, within ?? START_MS)
			: await player.until(expected, () => player.callOf(id).frames.shift(), within);
	const { head, body, ...fields } = wanted;
	demand(
		expected,
		compare(fields, frame.line, String(frame.line.type)) ??
			(head === undefined ? undefined : compareHead(head, frame.head, "head")) ??
			(body === undefined ? undefined : compareBody(body, frame.body, "body")),
	);
}

async function expectAnswers(player: Player, wanted: Expected & { id: number }, times: number, within?: number): Promise<void> {
	for (let i = 0; i < times; i++) await expectAnswer(player, withId(wanted, wanted.id + i), within);
}

/** Expects an answer, whether it was sent as a result or as a stream. */
async function expectAnswer(player: Player, wanted: Expected & { id: number }, within?: number): Promise<void> {
	const expected = `an answer like ${print(wanted)}`;
	const call = player.callOf(wanted.id);
	await player.until(expected, () => call.over || undefined, within);
	demand(expected, "code" in wanted ? compareError(wanted, call) : compareAnswer(wanted, call));
}

function compareError(wanted: Expected, { error, form, id }: Call): Difference {
	if (!error) return `call ${id} was answered by ${form}`;
	const { id: _, ...fields } = wanted;
	const { code = "FUNCTION_THREW" } = error; // 4.6: an absent one means this
	return compare(fields, { ...error, code }, "error");
}

function compareAnswer(wanted: Expected, call: Call): Difference {
	if (call.form === "withdrawn") return `call ${call.id} was withdrawn`;
	if (call.error) return `call ${call.id} was answered by ${print(call.error)}`;
	const { id: _, head, body, ...fields } = wanted;
	const actual = { status: call.status, form: call.form, largest: Math.max(0, ...call.chunks.map((chunk) => chunk.length)) };
	return (
		compare(fields, actual, "answer") ??
		(head === undefined ? undefined : compareHead(head, call.head, "head")) ??
		(body === undefined ? undefined : compareBody(body, Buffer.concat(call.chunks), "body"))
	);
}

async function expectEnd(player: Player, id: number, within?: number): Promise<void> {
	const call = player.callOf(id);
	await player.until(`an end of call ${id}, by result, end or error`, () => call.over || undefined, within);
}

async function expectOrder(player: Player, ids: readonly number[], within?: number): Promise<void> {
	const expected = `the calls to be over in the order ${ids.join(", ")}`;
	const answered = () => player.conversation.answered.filter((id) => ids.includes(id));
	await player.until(expected, () => answered().length === ids.length || undefined, within);
	demand(expected, compare(ids, answered(), "the order"));
}

/**
 * Expects that an open call sends no frame for `ms`; this period must end before `within` ms have
 * passed.
 */
async function expectQuiet(player: Player, id: number, ms: number, within: number): Promise<void> {
	const expected = `${ms} ms without a frame of call ${id}, and the call not over`;
	const call = player.callOf(id);
	const begun = Date.now();
	const still = () => {
		const since = Math.max(begun, call.lastAt);
		if (call.over) throw new Mismatch(expected, `call ${id} is over`);
		if (since + ms > begun + within) throw new Mismatch(expected, `frames of call ${id} kept coming for ${since - begun} ms`);
		return Date.now() - since >= ms || undefined;
	};
	// The absence of frames raises no event, so it needs a timer.
	const tick = setInterval(() => player.look(), QUIET_TICK_MS);
	try {
		await player.until(expected, still, within + WITHIN_MS);
	} finally {
		clearInterval(tick);
	}
}

async function expectOutput(player: Player, stream: "stdout" | "stderr", text: string, within?: number): Promise<void> {
	await player.until(`${JSON.stringify(text)} on ${stream}`, () => player.printed(stream).includes(text) || undefined, within);
}

/** Expects that the process runs whose id a call has answered. */
async function expectAlive(player: Player, id: number): Promise<void> {
	const text = Buffer.concat(player.callOf(id).chunks).toString();
	const expected = `a running process whose id is the answer to call ${id}`;
	if (!/^[1-9]\d*$/.test(text)) throw new Mismatch(expected, `the answer ${JSON.stringify(text)}, which is not a process id`);
	try {
		process.kill(Number(text), 0);
	} catch {
		throw new Mismatch(expected, `no process ${text}`);
	}
}

async function expectEof(player: Player, within?: number): Promise<void> {
	await player.until("the end of the wire", () => player.wireEnded || undefined, within);
}

async function expectExit(player: Player, wanted: unknown, within?: number): Promise<void> {
	const expected = `an exit with ${print(wanted)}`;
	const exit = await player.until(expected, () => player.exit, within);
	if (compare(wanted, exit, "exit")) throw new Mismatch(expected, exitWords(exit));
	await player.until("the end of the wire after the exit", () => player.wireEnded || undefined, within);
}

function demand(expected: string, difference: Difference): void {
	if (difference) throw new Mismatch(expected, difference);
}

function print(value: unknown): string {
	const text = JSON.stringify(value);
	return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
