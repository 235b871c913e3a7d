/** A rule of PROTOCOL.md that a worker broke. */
export class Fault extends Error {
	readonly rule: string;
	constructor(rule: string, message: string) {
		super(message);
		this.rule = rule;
	}
}

/** Something a vector wants and did not get. */
export class Mismatch extends Error {
	readonly expected: string;
	/** undefined: the one the vector is about */
	rule: string | undefined;
	constructor(expected: string, got: string) {
		super(got);
		this.expected = expected;
	}
}

/** The worker's command cannot be run at all, which no rule is about. */
export class NotStarted extends Error {}
