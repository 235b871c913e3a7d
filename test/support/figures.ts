/** A response of /metrics, by series. */
export class Figures {
	readonly text: string;
	readonly #series = new Map<string, number>();

	constructor(text: string) {
		this.text = text;
		for (const line of text.split("\n")) {
			const space = line.lastIndexOf(" ");
			if (line !== "" && !line.startsWith("#")) this.#series.set(line.slice(0, space), Number(line.slice(space + 1)));
		}
	}

	/**
	 * Returns the value of a series, such as `function_calls_total{method="GET"}`; 0 if it is absent.
	 */
	of(series: string): number {
		return this.#series.get(series) ?? 0;
	}

	has(series: string): boolean {
		return this.#series.has(series);
	}

	/** Returns the sum over all labels. */
	sum(name: string): number {
		let sum = 0;
		for (const [series, value] of this.#series) if (series === name || series.startsWith(`${name}{`)) sum += value;
		return sum;
	}

	/** Returns the loader's own series as text, without the buckets. */
	get brief(): string {
		return [...this.#series].flatMap(([name, value]) => (/^function_(?!.*_bucket)/.test(name) ? `${name} ${value}` : [])).join("\n");
	}

	get inFlight(): number {
		return this.of("function_calls_in_flight");
	}

	exits(reason: string): number {
		return this.of(`function_worker_exits_total{reason="${reason}"}`);
	}

	rejections(reason: string): number {
		return this.of(`function_rejections_total{reason="${reason}"}`);
	}
}
