/** Something that is given up at a time; it carries its own place in the list, so that joining and leaving allocate nothing. */
export interface Timed {
	/** when it is given up, in `ms` of performance.now() */
	dueAt: number;
	earlier: Timed | undefined;
	later: Timed | undefined;
	expire(): void;
}

/**
 * One timer for all calls: they have the same time limit, so the order of arrival is the order of deadlines, and a
 * call that ends in time costs two pointers and no timer.
 */
export class Deadlines {
	readonly #timeoutMs: number;
	#first: Timed | undefined;
	#last: Timed | undefined;
	#timer: NodeJS.Timeout | undefined;

	constructor(timeoutMs: number) {
		this.#timeoutMs = timeoutMs;
	}

	add(timed: Timed, now: number): void {
		timed.dueAt = now + this.#timeoutMs;
		timed.earlier = this.#last;
		if (this.#last) this.#last.later = timed;
		else this.#first = timed;
		this.#last = timed;
		this.#timer ??= setTimeout(this.#check, this.#timeoutMs);
	}

	remove(timed: Timed): void {
		if (timed.earlier) timed.earlier.later = timed.later;
		else if (this.#first === timed) this.#first = timed.later;
		else return; // not in the list
		if (timed.later) timed.later.earlier = timed.earlier;
		else this.#last = timed.earlier;
		timed.earlier = timed.later = undefined;
	}

	#check = (): void => {
		this.#timer = undefined;
		const now = performance.now();
		while (this.#first && this.#first.dueAt <= now) {
			const due = this.#first;
			this.remove(due);
			due.expire();
		}
		if (this.#first) this.#timer ??= setTimeout(this.#check, Math.max(1, Math.ceil(this.#first.dueAt - now)));
	};
}
