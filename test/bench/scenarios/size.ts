import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { type Figure, figure } from "../figure.ts";
import { BUNDLE } from "../needs.ts";
import type { Scenario } from "../scenario.ts";

export const size: Scenario = {
	name: "size",
	title: "loader bundle, minified",
	async run(): Promise<Figure[]> {
		const bundle = readFileSync(BUNDLE);
		return [
			figure({ what: "dist/loader.mjs", of: "loader", unit: "MB", samples: [bundle.length / 1e6], target: "size" }),
			figure({ what: "gzipped", of: "loader", unit: "MB", samples: [gzipSync(bundle).length / 1e6] }),
		];
	},
};
