/**
 * A twist that takes one call at a time and four calls ahead (PROTOCOL 5.5). `next` chooses among
 * the waiting calls.
 */
export function inTurn({ heedsWithdraw = true, next = (waiting) => waiting.shift() } = {}) {
	const waiting = [];
	let busy = false;
	let go;
	let stop;

	function begin() {
		const given = next(waiting) ?? stop;
		busy = given?.type === "call";
		if (given) go(given);
	}

	return {
		send(put, line, head, body) {
			if (line.type === "ready") return put({ ...line, concurrency: 1, ahead: 4 });
			put(line, head, body);
			// All frames that have arrived are read before the next call begins (PROTOCOL 5.5).
			if (["result", "end", "error"].includes(line.type)) setTimeout(() => setImmediate(begin));
		},
		receive(given, take, put) {
			go = take;
			if (given.type === "withdraw") {
				if (heedsWithdraw) for (const { id } of waiting.splice(0)) put({ type: "withdrawn", id });
			} else if (given.type === "call" && busy) waiting.push(given);
			else if (given.type === "stop" && busy) stop = given;
			else {
				busy ||= given.type === "call";
				take(given);
			}
		},
	};
}
