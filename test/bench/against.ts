import { type Figure, type FigureParts, figure } from "./figure.ts";

interface Wanted<S> extends Pick<FigureParts, "what" | "unit" | "target"> {
	readonly value: (sample: S) => number;
	readonly as: "ratio" | "difference";
}

/** Returns one figure of every measured loader, relative to the bare server in the same rounds. */
export function against<C extends { readonly spec: { readonly name: string } }, S>(
	samples: ReadonlyMap<C, readonly S[]>,
	yardstick: C,
	loaders: readonly C[],
	{ value, as, ...parts }: Wanted<S>,
): Figure[] {
	const bare = samples.get(yardstick)?.map(value);
	if (!bare) return []; // did not start, which is in the notes
	return loaders.flatMap((loader) => {
		const taken = samples.get(loader);
		return taken ? [figure({ ...parts, of: loader.spec.name, samples: taken.map(value), against: { samples: bare, as } })] : [];
	});
}
