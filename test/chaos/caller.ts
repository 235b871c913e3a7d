// A caller sends its calls one after the other, or a few at once, and notes what it sees.
import { setTimeout as sleep } from "node:timers/promises";
import { poll } from "../support/poll.ts";
import { Connection, type Seen } from "./connection.ts";
import type { Ledger } from "./ledger.ts";
import type { Manner, PlannedCall, PlannedCaller } from "./plan.ts";
import { requestOf } from "./request.ts";

/** Manners with a connection for each call. */
const ONE_CALL: ReadonlySet<Manner> = new Set<Manner>(["half-closed", "http/1.0", "aborting"]);
/** Pauses of a slow caller, in all: it must not take as long as the function may. */
const MAX_PAUSES = 20;

/** Makes the calls. Returns early when the loader does not listen any more. */
export async function makeCalls({ manner, calls }: PlannedCaller, port: number, ledger: Ledger): Promise<void> {
	const left = [...calls];
	let connection: Connection | undefined;
	while (left.length > 0) {
		if (!connection || connection.closed || ONE_CALL.has(manner)) {
			connection?.leave("close");
			connection = await Connection.open(port);
			if (!connection) return ledger.refused();
		}
		const [first] = left as [PlannedCall];
		const batch = left.splice(0, manner === "pipelined" ? 1 + first.random.below(5) : 1);
		if (manner === "aborting") await abort(connection, first, ledger);
		else await converse(connection, batch, manner, ledger);
	}
	connection?.leave("close");
}

async function converse(connection: Connection, calls: readonly PlannedCall[], manner: Manner, ledger: Ledger): Promise<void> {
	const sent = calls.map((call) => ledger.sent(call, manner));
	for (const call of sent) {
		call.previous = connection.latest;
		connection.latest = call;
	}
	if (manner === "pipelined") await connection.write(Buffer.concat(calls.flatMap((call) => requestOf(call, manner))));
	else for (const call of calls) await send(connection, call, manner);
	for (const call of sent) call.wholeAt = performance.now();
	if (manner === "half-closed") connection.shut();
	let announced = false;
	for (const call of sent) {
		const seen = await connection.next();
		call.end(seen, announced);
		if (typeof seen === "object") announced ||= seen.headers.get("connection")?.toLowerCase() === "close";
		else connection.leave("close");
	}
	// What comes after this is the answer to no request.
	if (announced) connection.leave("close");
}

async function send(connection: Connection, call: PlannedCall, manner: Manner): Promise<void> {
	const pieces = requestOf(call, manner);
	if (manner !== "slow") return void (await connection.write(Buffer.concat(pieces)));
	let pauses = MAX_PAUSES;
	for (const piece of pieces) {
		await connection.write(piece);
		if (pauses-- > 0) await sleep(call.random.below(5));
	}
	connection.rest(call.random.pick([0, 20, 200]));
}

/** Leaves: with half of the request sent, after it, during the execution, or during the answer. */
async function abort(connection: Connection, call: PlannedCall, ledger: Ledger): Promise<void> {
	const sent = ledger.sent(call, "aborting");
	sent.leaves = true;
	const bytes = Buffer.concat(requestOf(call, "aborting"));
	const when = call.random.pick(["half", "sent", "executed", "answered"]);
	await connection.write(when === "half" ? bytes.subarray(0, call.random.below(bytes.length)) : bytes);
	if (when !== "half") sent.wholeAt = performance.now();
	if (when === "executed") await until(() => connection.begun || ledger.executions(call.id) > 0);
	if (when === "answered") await until(() => connection.begun);
	connection.leave(call.random.pick(["close", "reset"]));
	sent.end("closed" satisfies Seen, false);
}

const until = (fits: () => boolean): Promise<true> =>
	poll(
		() => fits() || undefined,
		() => "no execution and no answer",
	);
