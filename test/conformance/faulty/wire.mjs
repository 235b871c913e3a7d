import { Socket } from "node:net";

/** A minimal wire: reads frames and writes bytes, without checks. */
export function openWire({ onFrame, onBroken = () => process.exit(1), onEnd = () => process.exit(0) }) {
	const wire = new Socket({ fd: 3 });
	let parts = [];
	let length = 0;
	let open;
	/** the number of bytes that the next complete frame needs at least */
	let needed = 1;
	wire.on("data", (chunk) => {
		parts.push(chunk);
		length += chunk.length;
		if (length < needed) return;
		let held = Buffer.concat(parts);
		for (;;) {
			if (!open) {
				const newline = held.indexOf("\n");
				if (newline < 0) break;
				open = parse(held.subarray(0, newline));
				if (!open) return onBroken();
				held = held.subarray(newline + 1);
			}
			const { head = 0, body = 0 } = open;
			if (held.length < head + body) break;
			const frame = {
				...open,
				headBytes: held.subarray(0, head),
				bodyBytes: "body" in open ? held.subarray(head, head + body) : undefined,
			};
			held = held.subarray(head + body);
			open = undefined;
			onFrame(frame);
		}
		parts = [held];
		length = held.length;
		needed = open ? (open.head ?? 0) + (open.body ?? 0) : 1;
	});
	wire.on("end", onEnd);
	wire.on("error", onEnd);
	return wire;
}

function parse(bytes) {
	try {
		const line = JSON.parse(bytes);
		const counts = [line.head ?? 0, line.body ?? 0].every((count) => Number.isSafeInteger(count) && count >= 0);
		return counts && !Array.isArray(line) ? line : undefined;
	} catch {
		return undefined;
	}
}

/** Returns a frame's bytes. */
export function frame(line, head = "", body = "") {
	const headBytes = Buffer.from(head, "latin1");
	const bodyBytes = Buffer.from(body);
	const lengths = { ...(headBytes.length && { head: headBytes.length }), ...(bodyBytes.length && { body: bodyBytes.length }) };
	return Buffer.concat([Buffer.from(`${JSON.stringify({ ...line, ...lengths })}\n`), headBytes, bodyBytes]);
}
