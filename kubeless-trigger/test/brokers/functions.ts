// Functions for the consumer's tests: an HTTP server that notes every call.
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { Owner } from "../../../test/support/owner.ts";

export interface Call {
	readonly id: string;
	readonly headers: IncomingHttpHeaders;
	readonly body: Buffer;
}

export type Answer = (call: Call, response: ServerResponse) => void | Promise<void>;

/** A function that notes every call, then answers as `answer` says: 200 by default. */
export class NotedFunction {
	readonly calls: Call[] = [];
	url = "";
	running = 0;
	maxRunning = 0;
	answer: Answer = (_call, response) => void response.end("OK");

	static async start(owner: Owner): Promise<NotedFunction> {
		const noted = new NotedFunction();
		const server = createServer(async (request, response) => {
			const chunks: Buffer[] = [];
			for await (const chunk of request) chunks.push(chunk);
			const body = Buffer.concat(chunks);
			const call = { id: body.toString(), headers: request.headers, body };
			noted.calls.push(call);
			noted.maxRunning = Math.max(noted.maxRunning, ++noted.running);
			await noted.answer(call, response);
			noted.running--;
		});
		server.keepAliveTimeout = 60_000;
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		noted.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
		owner.after(() => {
			server.closeAllConnections();
			server.close();
		});
		return noted;
	}

	/** How often each message was executed. */
	executions(): Map<string, number> {
		const counts = new Map<string, number>();
		for (const { id } of this.calls) counts.set(id, (counts.get(id) ?? 0) + 1);
		return counts;
	}
}
