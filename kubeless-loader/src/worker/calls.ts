import type { WorkerCall } from "./contract.ts";

/**
 * The calls a worker holds, by the id they have on its wire. A ring of slots rather than a Map: a Map that lives long is
 * rebuilt every few insertions, and each old table keeps its calls from the young generation's collector. Measured: a third of a call's CPU.
 */
export class CallTable {
	#slots: (WorkerCall | undefined)[];
	#mask: number;
	#lastId = 0;
	size = 0;

	/** `most`: calls it will hold at once. */
	constructor(most: number) {
		// Twice the room, so that the next free slot is near.
		const slots = 2 ** Math.ceil(Math.log2(Math.max(1, most) * 2));
		this.#slots = new Array(slots).fill(undefined);
		this.#mask = slots - 1;
	}

	/** Gives the call its id: higher than all before, and one whose slot is free. */
	add(call: WorkerCall): number {
		let id = this.#lastId + 1;
		while (this.#slots[id & this.#mask] !== undefined) id++;
		this.#lastId = id;
		call.id = id;
		this.#slots[id & this.#mask] = call;
		this.size++;
		return id;
	}

	get(id: number): WorkerCall | undefined {
		const call = this.#slots[id & this.#mask];
		return call?.id === id ? call : undefined;
	}

	delete(call: WorkerCall): void {
		this.#slots[call.id & this.#mask] = undefined;
		this.size--;
	}

	/** All of them, the earliest first. */
	inOrder(): WorkerCall[] {
		return this.#slots.filter((call) => call !== undefined).sort((one, other) => one.id - other.id);
	}

	clear(): void {
		this.#slots.fill(undefined);
		this.size = 0;
	}
}
