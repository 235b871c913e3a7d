import type { IncomingMessage, ServerResponse } from "node:http";
import type { Speaks } from "../manifest.ts";
import { discard, readBody } from "./body.ts";
import { Call, type CallHost } from "./call.ts";
import { fillFromAttributes, isStructured, openEnvelope, type Unwrapped } from "./cloudevent.ts";
import { callFields, isJson, type RequestHead, readHead } from "./event.ts";
import { RequestUpload } from "./upload.ts";

export interface RouteOptions {
	/** the longest body in `bytes` */
	readonly bodyLimit: number;
	readonly timeoutMs: number;
	readonly speaks: Speaks;
}

/** A body up to this many `bytes` is read before its call begins even where it could be passed on: it mostly comes with the headers. */
const HELD_BODY = 16 * 1024;

/** The way of every call: head, body, event, worker. The answer comes back to the Call. */
export function functionRoute(host: CallHost, { bodyLimit, timeoutMs, speaks }: RouteOptions) {
	return (request: IncomingMessage, response: ServerResponse, upgrade?: string): void => {
		const call = new Call(host, request, response);
		const head = readHead(request.rawHeaders);
		call.requestHead = head;
		call.upgrade = upgrade;
		if (host.draining) return call.refuse("DRAINING");
		const { contentType, length } = head;
		const structured = contentType !== undefined && isStructured(contentType);
		// A JSON type without a body is common: Kubeless's cron trigger sends it.
		if (length === undefined) return begin(call, request, head, contentType !== undefined && isJson(contentType));
		if (speaks !== "wire" && !structured && (length < 0 || length > HELD_BODY)) return pass(call, request, head, length);
		readBody(request, length, bodyLimit, host.budget, (fault, body, paid) => {
			if (fault === "CALLER_GONE") return; // the response's own close tells the call
			if (fault !== undefined) return call.refuse(fault);
			call.owes(paid);
			call.setBody(body);
			if (!structured) return begin(call, request, head, contentType !== undefined && isJson(contentType));
			let opened: Unwrapped;
			try {
				opened = openEnvelope(head, Buffer.concat(body));
			} catch (cause) {
				// A server gets what was sent, and judges it: CloudEvents libraries open the envelope themselves.
				if (speaks === "http") return begin(call, request, head, false);
				return call.fail("BODY_MALFORMED", (cause as Error).message);
			}
			if (speaks !== "http") {
				if (opened.data === undefined) call.body = undefined;
				else call.setBody([opened.data]);
			}
			begin(call, request, head, opened.json);
		});
	};

	/** The body goes to the worker while it comes. */
	function pass(call: Call, request: IncomingMessage, head: RequestHead, length: number): void {
		if (length > bodyLimit) {
			discard(request);
			return call.refuse("BODY_TOO_LARGE");
		}
		call.upload = new RequestUpload(request, length, bodyLimit, () => call.tooLarge());
		begin(call, request, head, false);
	}

	function begin(call: Call, request: IncomingMessage, head: RequestHead, json: boolean): void {
		if (head.attributes !== undefined) fillFromAttributes(head);
		if (speaks === "wire") {
			call.headBlock = head.block;
			call.fields = callFields(request, head, json, Date.now() + timeoutMs);
		}
		call.begin();
	}
}
