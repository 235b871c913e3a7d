/** First in, first out, with removal by mark: what `live` says no to is skipped. */
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

	shift(): T | undefined {
		while (this.#first < this.#items.length) {
			const item = this.#items[this.#first++] as T;
			// Array.shift is linear: cut only when half of the array is spent.
			if (this.#first > 1024 && this.#first * 2 > this.#items.length) {
				this.#items = this.#items.slice(this.#first);
				this.#first = 0;
			}
			if (this.#live(item)) return item;
		}
		this.#items = [];
		this.#first = 0;
		return undefined;
	}
}
