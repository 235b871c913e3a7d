/** A histogram series of plain numbers: an observation costs one search and two additions. */
export class Series {
	readonly bounds: readonly number[];
	/** observations per bucket, not cumulative; the last bucket is +Inf */
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
