import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody } from "./body.ts";
import { Call, type CallHost } from "./call.ts";
import { fillFromAttributes, isStructured, openEnvelope } from "./cloudevent.ts";
import { callFields, isJson, type RequestHead, readHead } from "./event.ts";

/** The way of every call: head, body, event, worker. The answer comes back to the Call. */
export function functionRoute(host: CallHost, limits: { bodyLimit: number; timeoutMs: number }) {
	return (request: IncomingMessage, response: ServerResponse): void => {
		const call = new Call(host, request, response);
		const head = readHead(request.rawHeaders);
		call.requestHead = head;
		if (host.draining) return call.refuse("DRAINING");
		// A JSON type without a body is common: Kubeless's cron trigger sends it.
		if (head.length === undefined) return begin(call, request, head, head.contentType !== undefined && isJson(head.contentType));
		readBody(request, head.length, limits.bodyLimit, host.budget, (fault, body, paid) => {
			if (fault === "CALLER_GONE") return; // the response's own close tells the call
			if (fault !== undefined) return call.refuse(fault);
			call.owes(paid);
			call.setBody(body);
			const { contentType } = head;
			if (contentType === undefined) return begin(call, request, head, false);
			if (!isStructured(contentType)) return begin(call, request, head, isJson(contentType));
			try {
				const { data, json } = openEnvelope(head, Buffer.concat(body));
				if (data === undefined) call.body = undefined;
				else call.setBody([data]);
				begin(call, request, head, json);
			} catch (cause) {
				call.fail("BODY_MALFORMED", (cause as Error).message);
			}
		});
	};

	function begin(call: Call, request: IncomingMessage, head: RequestHead, json: boolean): void {
		if (head.attributes !== undefined) fillFromAttributes(head);
		call.headBlock = head.block;
		call.fields = callFields(request, head, json, Date.now() + limits.timeoutMs);
		call.begin();
	}
}
