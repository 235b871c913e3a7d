/** First in, first out. Items for which `live` is false count as removed and are skipped. */
export class Queue<T> {
	readonly #live: (item: T) => boolean;
	#items: T[] = [];
	#first = 0;

	constructor(live: (item: T) => boolean) {
		this.#live = live;
	}

	push(item: T): void {
		this.#items.push(item);
	}

	/** Puts an item before all others. */
	unshift(item: T): void {
		if (this.#first > 0) this.#items[--this.#first] = item;
		else this.#items.unshift(item);
	}

	/** Returns the item that `shift` would remove. */
	peek(): T | undefined {
		while (this.#first < this.#items.length) {
			const item = this.#items[this.#first] as T;
			if (this.#live(item)) return item;
			this.#first++;
		}
		this.#items = [];
		this.#first = 0;
		return undefined;
	}

	shift(): T | undefined {
		const item = this.peek();
		if (item === undefined) return undefined;
		this.#first++;
		// Array.shift takes linear time, so the array is cut only when half of it is spent.
		if (this.#first > 1024 && this.#first * 2 > this.#items.length) {
			this.#items = this.#items.slice(this.#first);
			this.#first = 0;
		}
		return item;
	}
}
