/** A rule of PROTOCOL.md that a worker broke. */
export class Fault extends Error {
	readonly rule: string;
	constructor(rule: string, message: string) {
		super(message);
		this.rule = rule;
	}
}

/** The worker did not do what a vector expects. */
export class Mismatch extends Error {
	readonly expected: string;
	/** undefined: the vector's main rule */
	rule: string | undefined;
	constructor(expected: string, got: string) {
		super(got);
		this.expected = expected;
	}
}

/** The worker's command could not be started; this breaks no rule. */
export class NotStarted extends Error {}
