/**
 * The calls that a worker holds, by id. A ring of slots rather than a Map: a long-lived Map is
 * rebuilt every few insertions, and each old table keeps its calls out of the young generation's
 * garbage collection. Measured: a Map costs a third of a call's CPU time.
 */
export class CallTable<T extends { id: number }> {
	#slots: (T | undefined)[];
	#mask: number;
	#lastId = 0;
	size = 0;

	/** @param max calls held at once */
	constructor(max: number) {
		// Twice the room, so that the next free slot is near.
		const slots = 2 ** Math.ceil(Math.log2(Math.max(1, max) * 2));
		this.#slots = new Array(slots).fill(undefined);
		this.#mask = slots - 1;
	}

	/** Gives the call its id: higher than all ids before, and one whose slot is free. */
	add(call: T): void {
		let id = this.#lastId + 1;
		while (this.#slots[id & this.#mask] !== undefined) id++;
		this.#lastId = id;
		call.id = id;
		this.#slots[id & this.#mask] = call;
		this.size++;
	}

	get(id: number): T | undefined {
		const call = this.#slots[id & this.#mask];
		return call?.id === id ? call : undefined;
	}

	has(call: T): boolean {
		return this.#slots[call.id & this.#mask] === call;
	}

	delete(call: T): void {
		this.#slots[call.id & this.#mask] = undefined;
		this.size--;
	}

	/** All calls, the earliest first. */
	inOrder(): T[] {
		return this.#slots.filter((call) => call !== undefined).sort((one, other) => one.id - other.id);
	}

	clear(): void {
		this.#slots.fill(undefined);
		this.size = 0;
	}
}
