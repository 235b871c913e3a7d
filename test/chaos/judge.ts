// Compares what came back with what was executed and what was done.
import type { Harm, Harms } from "./harm.ts";
import { VERSIONS, type Version } from "./languages.ts";
import type { Ledger, SentCall } from "./ledger.ts";
import { LIMIT_BYTES, type PlannedCall, TIMEOUT_S } from "./plan.ts";
import { bodyOf } from "./request.ts";
import type { Response } from "./responses.ts";

/** The ways in which a run can break a promise. */
export const KINDS = ["lost", "twice", "crossed", "wrong", "unanswered", "leaked"] as const;
export type Kind = (typeof KINDS)[number];

export interface Finding {
	readonly kind: Kind;
	readonly what: string;
}

/** The clocks of loader and caller start and end apart, and both round: in ms. */
const CLOCKS_MS = 50;
/**
 * What a function writes on the wire in the action `wire`. If it comes inside an answer, that
 * answer is the function's work.
 */
const GARBAGE = "no frame";

export interface Evidence {
	readonly ledger: Ledger;
	readonly harms: Harms;
	/** when the loader logged that a version serves */
	readonly served: ReadonlyMap<Version, number>;
}

export function judge({ ledger, harms, served }: Evidence): Finding[] {
	const executions = ledger.allExecutions();
	for (const { call, sentAt, endedAt } of ledger.calls) {
		if (ENDS_WORKER.has(call.action)) harms.all.push({ kind: "death", from: sentAt, to: endedAt + 1000 });
	}
	return ledger.calls.flatMap((sent) => {
		const count = executions.get(sent.call.id) ?? 0;
		const found = [...(count > 1 ? [finding("twice", `executed ${count} times`)] : []), ...judgeCall(sent, count, harms, served)];
		const before = sent.previous === undefined ? "" : `; before it on its connection: ${describe(sent.previous, harms)}`;
		return found.map(({ kind, what }) => ({ kind, what: `${describe(sent, harms)}, executed ${count} times: ${what}${before}` }));
	});
}

const ENDS_WORKER: ReadonlySet<string> = new Set(["die", "hoard", "wire"]);

const finding = (kind: Kind, what: string): Finding => ({ kind, what });

function judgeCall(sent: SentCall, count: number, harms: Harms, served: Evidence["served"]): Finding[] {
	const { seen } = sent;
	if (count > 0 && sent.wholeAt === Number.POSITIVE_INFINITY && sent.leaves)
		return [finding("wrong", "executed without its whole request")];
	if (sent.leaves) return [];
	// The kernel ends the connections of a killed process as if the answers were complete.
	const isCut = typeof seen === "object" && (!seen.complete || (seen.unmeasured && overlap(sent, harms, "kill")));
	if (typeof seen !== "object" || isCut) return judgeEnd(sent, count, harms);
	const found = judgeStatus(sent, seen, count, harms);
	const foreign = foreignIn(sent.call, seen);
	if (foreign.length > 0) found.push(finding("crossed", `the answer has ${foreign.join(", ")}`));
	else if (seen.status === 200) found.push(...judgeBody(sent, seen.body, served));
	return found;
}

/** Returns the ids of other calls in an answer. */
function foreignIn({ id }: PlannedCall, { body, headers }: Response): string[] {
	const ids = `${body} ${[...headers.values()].join(" ")}`.match(/\bc\d+;/g) ?? [];
	return [...new Set(ids)].filter((one) => one !== id);
}

function judgeStatus(sent: SentCall, { status, headers, body }: Response, count: number, harms: Harms): Finding[] {
	const refused = headers.get("kubeless-refused");
	const found: Finding[] = [];
	if (refused !== undefined && count > 0) found.push(finding("wrong", `refused (${refused}) and executed`));
	if (status === 200 && count === 0) found.push(finding("lost", "answered 200 without execution"));
	if (status === 500 && count === 0 && !overlap(sent, harms, "shortage")) found.push(finding("lost", "answered 500 without execution"));
	if (!mayBe(status, refused, sent, harms)) found.push(finding("wrong", `status ${status} (${body.slice(0, 80).trim()})`));
	return found;
}

function mayBe(status: number, refused: string | undefined, sent: SentCall, harms: Harms): boolean {
	if (expected(sent.call).includes(status)) return true;
	switch (status) {
		case 408:
			return sent.endedAt - sent.sentAt >= TIMEOUT_S * 1000 - CLOCKS_MS;
		case 500:
			return overlap(sent, harms, "shortage");
		case 502:
			return overlap(sent, harms, "death") || overlap(sent, harms, "end");
		case 503:
			return refused === "OVERLOADED" || refused === "QUEUE_FULL" || (refused === "DRAINING" && sent.endedAt >= harms.since("stop"));
		default:
			return false;
	}
}

function expected({ action, length }: PlannedCall): readonly number[] {
	if (length > LIMIT_BYTES) return [413];
	if (action === "raise") return [500];
	if (action === "die") return [502];
	if (action === "hoard") return [500, 502];
	// Not every language can reach its wire, and a wire that ends cannot be written.
	return action === "wire" ? [200, 500, 502] : [200];
}

/** The call got no answer, or only a part of one. */
function judgeEnd(sent: SentCall, count: number, harms: Harms): Finding[] {
	const { seen, announced } = sent;
	if (typeof seen === "object") {
		const late = sent.endedAt - sent.sentAt >= TIMEOUT_S * 1000 - CLOCKS_MS;
		const explained = late || overlap(sent, harms, "death") || overlap(sent, harms, "shortage") || overlap(sent, harms, "end");
		return explained ? [] : [finding("unanswered", `only a part of the answer came: ${seen.status}, ${seen.body.length} bytes`)];
	}
	if (announced) return count === 0 ? [] : [finding("unanswered", "executed after the answer that closed its connection")];
	if (overlap(sent, harms, "end")) return [];
	const afterStop = sent.wholeAt >= harms.since("stop");
	return afterStop && count === 0 && seen === "closed"
		? []
		: [finding("unanswered", seen === "closed" ? "the connection was closed" : "no answer")];
}

function judgeBody(sent: SentCall, body: string, served: Evidence["served"]): Finding[] {
	const { id, action, number } = sent.call;
	if (body.includes(GARBAGE)) return [];
	if (action === "echo") return body === bodyOf(sent.call) ? [] : [finding("wrong", `echo of ${body.length} bytes`)];
	const version = VERSIONS.find((one) => body.startsWith(`${id} ${one}\n`));
	const times = action === "answer" || action === "stream" ? number : 1;
	if (version === undefined || body !== `${id} ${version}\n`.repeat(times)) {
		return [finding("wrong", `body of ${body.length} bytes, ${JSON.stringify(body.slice(0, 80))}`)];
	}
	const newer = VERSIONS.slice(VERSIONS.indexOf(version) + 1).find((one) => (served.get(one) ?? Number.POSITIVE_INFINITY) < sent.sentAt);
	return newer === undefined ? [] : [finding("wrong", `version ${version} answered after version ${newer} served`)];
}

const overlap = (sent: SentCall, harms: Harms, kind: Harm["kind"]): boolean => harms.during(kind, sent.sentAt, sent.endedAt);

function describe(sent: SentCall, harms: Harms): string {
	const { call, manner, seen, sentAt, wholeAt, endedAt } = sent;
	const came = typeof seen === "object" ? String(seen.status) : seen;
	const times = [sentAt, wholeAt, endedAt].map((at) => Math.round(at - harms.start)).join("–");
	return `${call.id} ${manner} ${call.action} ${call.number} (${call.length} bytes${call.gzip ? ", gzip" : ""}) at ${times} ms → ${came}`;
}
