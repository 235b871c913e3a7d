// A call's way from the request to the pool: headers, body, envelope, worker. The answer comes back to the Call.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HeldBody, Intake } from "../worker/contract.ts";
import { discard, readBody } from "./body.ts";
import { Call, type CallHost } from "./call.ts";
import { fillFromAttributes, isStructured, type OpenedEnvelope, openEnvelope } from "./cloudevent.ts";
import { isJson, type RequestHead } from "./event.ts";
import { RequestUpload } from "./upload.ts";

export interface RouteOptions {
	/** of a request body, in bytes */
	readonly bodyLimit: number;
	/** what the function's worker takes */
	readonly intake: Intake;
}

/** Bodies up to this many bytes are read before their call begins even if the worker takes streams: most come with the headers. */
const MAX_READ_FIRST = 16 * 1024;

/** Returns the handler of all requests that are the function's. */
export function functionRoute(host: CallHost, { bodyLimit, intake }: RouteOptions) {
	const streams = intake.body === "streamed";
	const opens = intake.envelopes === "opened";

	return (request: IncomingMessage, response: ServerResponse, head: RequestHead, upgrade?: string): void => {
		const call = new Call(host, request, response);
		call.event = head;
		call.upgrade = upgrade;
		if (host.draining) return call.refuse("DRAINING");
		const { contentType, length } = head;
		head.json = contentType !== undefined && isJson(contentType);
		// A JSON type without a body is common: Kubeless's cron trigger sends it.
		if (length === undefined) return begin(call, head);
		const structured = contentType !== undefined && isStructured(contentType);
		if (streams && !structured && (length < 0 || length > MAX_READ_FIRST)) return stream(call, request, head, length);
		readBody(request, length, bodyLimit, host.budget, (fault, body, reserved) => {
			if (fault === "CALLER_GONE") return; // the response's close event ends the call
			if (fault !== undefined) return call.refuse(fault);
			call.takeBody(body, reserved);
			if (structured && !open(call, head, body, reserved)) return;
			begin(call, head);
		});
	};

	/** Opens a CloudEvents envelope. Returns false if the call was refused because of it. */
	function open(call: Call, head: RequestHead, body: HeldBody, reserved: number): boolean {
		let opened: OpenedEnvelope;
		try {
			opened = openEnvelope(head, Buffer.concat(body.parts));
		} catch (cause) {
			head.json = false;
			// A worker that takes envelopes as sent judges them itself.
			if (opens) call.fail("BODY_MALFORMED", (cause as Error).message);
			return !opens;
		}
		head.json = opened.json;
		if (opens) call.takeBody(opened.data && { parts: [opened.data], length: opened.data.length }, reserved);
		return true;
	}

	/** Begins a call whose body goes to the worker while it arrives. */
	function stream(call: Call, request: IncomingMessage, head: RequestHead, length: number): void {
		if (length > bodyLimit) {
			discard(request);
			return call.refuse("BODY_TOO_LARGE");
		}
		call.upload = new RequestUpload(request, length, bodyLimit, () => call.tooLarge());
		begin(call, head);
	}
}

function begin(call: Call, head: RequestHead): void {
	if (head.attributes !== undefined) fillFromAttributes(head);
	call.begin();
}
