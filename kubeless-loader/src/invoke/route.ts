// invoke/ is a call's way through the loader: from an HTTP request to the pool, and from the
// worker's answer to the HTTP response. This file is the way in: headers, body, envelope, pool. The
// answer comes back to the Call (call.ts), which writes it to the caller (response.ts).
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HeldBody, Intake } from "../worker/contract.ts";
import { discard, readBody } from "./body.ts";
import { Call } from "./call.ts";
import { EventError, isBinary, isStructured, type OpenedEnvelope, openEnvelope, readBinary } from "./cloudevent.ts";
import { isJson, type RequestHead } from "./event.ts";
import type { CallHost } from "./host.ts";
import { codingOf, inflate, inflatedHeaders } from "./inflate.ts";
import { inSlices } from "./json-members.ts";
import { RequestUpload } from "./upload.ts";

export interface RouteOptions {
	/** of a request body, in bytes */
	readonly bodyLimit: number;
	/** what the function's worker takes */
	readonly intake: Intake;
}

/**
 * Bodies up to this many bytes are read before their call begins even if the worker takes streams:
 * most come with the headers.
 */
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
		if (upgrade !== undefined && !call.mayUpgrade) return call.refuse("TOO_MANY_WEBSOCKETS");
		const { contentType, length } = head;
		head.json = contentType !== undefined && isJson(contentType);
		const structured = contentType !== undefined && isStructured(contentType);
		if (head.attributes !== undefined) {
			if (structured || !isBinary(head)) head.attributes = undefined;
			else if (asEvent(call, () => readBinary(head)) === "refused") return;
		}
		// A JSON type without a body is common: Kubeless's cron trigger sends it.
		if (length === undefined) return call.begin();
		const coding = streams ? undefined : codingOf(head.contentEncoding);
		if (coding === "unknown") return call.refuse("CODING_UNKNOWN");
		if (streams && !structured && (length < 0 || length > MAX_READ_FIRST)) return stream(call, request, length);
		readBody(request, length, bodyLimit, host.budget, (fault, body, reserved) => {
			if (fault === "CALLER_GONE") return; // the response's close event ends the call
			if (fault !== undefined) return call.refuse(fault);
			if (coding === undefined) return take(call, head, structured, body, reserved);
			inflate(body, coding, bodyLimit, host.budget, (fault, inflated, more) => {
				host.budget.release(reserved);
				if (call.over) return host.budget.release(more);
				if (fault !== undefined) return call.refuse(fault);
				request.rawHeaders = inflatedHeaders(request.rawHeaders, inflated.length);
				take(call, head, structured, inflated, more);
			});
		});
	};

	function take(call: Call, head: RequestHead, structured: boolean, body: HeldBody, reserved: number): void {
		call.takeBody(body, reserved);
		if (!structured) return call.begin();
		head.json = false;
		const opened = ({ data, json }: OpenedEnvelope) => {
			head.json = json;
			if (opens) {
				call.takeBody(data && { parts: data, length: data.reduce((sum, { length }) => sum + length, 0) }, reserved);
				head.envelope = body;
			}
			call.begin();
		};
		const failed = (error: unknown) => {
			const rethrow = () => {
				throw error;
			};
			if (asEvent(call, rethrow) !== "refused") call.begin();
		};
		inSlices(openEnvelope(head, body.parts), opened, failed);
	}

	/** Reads a CloudEvent. An invalid one is refused, unless the worker opens envelopes itself. */
	function asEvent(call: Call, read: () => void): "refused" | undefined {
		try {
			read();
		} catch (cause) {
			if (!(cause instanceof EventError)) throw cause;
			if (!opens) return;
			call.refuse("EVENT_INVALID", `Bad Request: ${cause.message}`);
			return "refused";
		}
	}

	/** Begins a call whose body goes to the worker while it arrives. */
	function stream(call: Call, request: IncomingMessage, length: number): void {
		if (length > bodyLimit) {
			discard(request);
			return call.refuse("BODY_TOO_LARGE");
		}
		call.upload = new RequestUpload(request, length, bodyLimit, () => call.tooLarge());
		call.begin();
	}
}
