// What the loader sends (../../PROTOCOL.md). `head` and `body` are lengths in bytes.

export interface CallFrame {
	readonly type: "call";
	readonly id: number;
	readonly method: string;
	readonly path: string;
	readonly query?: string;
	readonly address?: string;
	/** ms since 1970 */
	readonly deadline: number;
	readonly "event-id"?: string;
	readonly "event-type"?: string;
	readonly "event-time"?: string;
	readonly "event-namespace"?: string;
	readonly extensions?: Readonly<Record<string, string>>;
	readonly json?: true;
	readonly head?: number;
	readonly body?: number;
	/** bytes of the event's data at the beginning of the body, if the rest of it is an envelope */
	readonly data?: number;
	readonly envelope?: number;
}

interface Lengths {
	readonly head?: number;
	readonly body?: number;
}

export type LoaderFrame =
	| CallFrame
	| ({ readonly type: "pause" | "resume" | "cancel"; readonly id: number } & Lengths)
	| ({ readonly type: "stop" } & Lengths);

/** What `handler.load` found. */
export interface Loaded {
	readonly name: string;
	readonly handler: (event: unknown, context: unknown) => unknown;
	/** the source mentions `extensions`, so calls will probably use the request or the response */
	readonly asks: boolean;
}

/** What an answer of several chunks begins with. */
export interface Lead {
	readonly status: number;
	/** header lines, latin1 */
	readonly head: string;
	/** the head has a Content-Type */
	readonly typed: boolean;
}

/** A stream of one of Node.js's kinds, old or new. */
export interface AnyReadable extends NodeJS.ReadableStream {
	readonly readableEnded?: boolean;
	readonly destroyed?: boolean;
	readonly errored?: Error | null;
	destroy?(error?: Error): void;
}

export interface AnyIterator {
	next(): unknown;
	return?(): unknown;
}

declare global {
	namespace NodeJS {
		interface Process {
			/** Ends the process at once, without exit hooks. */
			reallyExit(code: number): never;
		}
	}
}
