/**
 * The cause of a failed call: it decides the log level, and whether the call counts as the
 * function's failure.
 */
export type Blame = "caller" | "function" | "runtime";

interface Fault {
	readonly status: number;
	readonly blame: Blame;
	/** the answer's body */
	readonly body: string;
}

/** All ways in which a call can fail. `docs/errors.md` explains each; a test compares the two. */
export const FAULTS = {
	BODY_MALFORMED: { status: 400, blame: "caller", body: "Bad Request: the body is not what its Content-Type says" },
	EVENT_INVALID: { status: 400, blame: "caller", body: "Bad Request: not a CloudEvent" },
	CODING_UNKNOWN: { status: 415, blame: "caller", body: "Unsupported Media Type: of Content-Encoding gzip, deflate and br are known" },
	BODY_TOO_LARGE: { status: 413, blame: "caller", body: "Payload Too Large" },
	BODY_TIMED_OUT: { status: 408, blame: "caller", body: "Request Timeout: no more of the body has come" },
	CALLER_GONE: { status: 499, blame: "caller", body: "" },
	// 408, not 504: every Kubeless runtime answers 408, and Kubeless's CLI has a message for it.
	FUNCTION_TIMED_OUT: { status: 408, blame: "function", body: "Request Timeout: the function did not answer in time" },
	FUNCTION_THREW: { status: 500, blame: "function", body: "Internal Server Error" },
	RESULT_INVALID: { status: 500, blame: "function", body: "Internal Server Error" },
	WORKER_DIED: { status: 502, blame: "function", body: "Bad Gateway: the function's process ended" },
	WIRE_BROKEN: { status: 502, blame: "function", body: "Bad Gateway: the function's process broke its protocol" },
	ANSWER_BROKEN: { status: 502, blame: "function", body: "Bad Gateway: the function's server gave no whole answer" },
	OVERLOADED: { status: 503, blame: "runtime", body: "Service Unavailable: calls wait so long that this one has no time to run" },
	TOO_MANY_WEBSOCKETS: { status: 503, blame: "runtime", body: "Service Unavailable: too many WebSockets are open" },
	QUEUE_FULL: { status: 503, blame: "runtime", body: "Service Unavailable: too many calls are waiting" },
	MEMORY_FULL: { status: 503, blame: "runtime", body: "Service Unavailable: too many bytes are held" },
	DRAINING: { status: 503, blame: "runtime", body: "Service Unavailable: shutting down" },
} as const satisfies Record<string, Fault>;

export type FaultCode = keyof typeof FAULTS;

/** The loader cannot start; the message is one or more sentences for the user, with the cure. */
export class StartError extends Error {
	readonly code: string;
	constructor(code: string, message: string) {
		super(message);
		this.name = "StartError";
		this.code = code;
	}
}
