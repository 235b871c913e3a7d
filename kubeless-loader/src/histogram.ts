/** A histogram series: plain numbers, so that observing is one search and two additions. */
export class Series {
	readonly bounds: readonly number[];
	/** observations per bucket, not yet added up; the last is +Inf */
	readonly counts: Float64Array;
	sum = 0;

	constructor(bounds: readonly number[]) {
		this.bounds = bounds;
		this.counts = new Float64Array(bounds.length + 1);
	}

	observe(value: number): void {
		const { bounds } = this;
		let bucket = 0;
		while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
		(this.counts[bucket] as number)++;
		this.sum += value;
	}

	get count(): number {
		return this.counts.reduce((total, count) => total + count, 0);
	}
}
