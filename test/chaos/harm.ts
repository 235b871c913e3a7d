// What was done to the loader and its workers, and when: it explains answers that would be wrong
// without it.

/** A time during which something was broken, in ms of performance.now(). */
export interface Harm {
	/**
	 * "death": a worker ended; "shortage": it could not get what it needed; "stop": the loader drains;
	 * "end": the loader ends without waiting; "kill": it was killed
	 */
	readonly kind: "death" | "shortage" | "stop" | "end" | "kill";
	readonly from: number;
	to: number;
}

export class Harms {
	readonly start = performance.now();
	readonly all: Harm[] = [];

	/** Notes harm from now on, until `to` is set. */
	begin(kind: Harm["kind"]): Harm {
		const harm = { kind, from: performance.now(), to: Number.POSITIVE_INFINITY };
		this.all.push(harm);
		return harm;
	}

	/** True if there was harm of this kind during a part of a time. */
	during(kind: Harm["kind"], from: number, to: number): boolean {
		return this.all.some((harm) => harm.kind === kind && harm.from <= to && harm.to >= from);
	}

	/** Returns when harm of this kind began; Infinity: never. */
	since(kind: Harm["kind"]): number {
		return Math.min(Number.POSITIVE_INFINITY, ...this.all.filter((harm) => harm.kind === kind).map(({ from }) => from));
	}

	/** Returns all harm with its times in ms since the start. */
	toString(): string {
		const ms = (at: number) => Math.round(at - this.start);
		return this.all.map(({ kind, from, to }) => `${kind} ${ms(from)}–${ms(to)}`).join(", ");
	}
}
