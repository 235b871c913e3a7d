import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { ByteBudget } from "../../../kubeless-loader/src/invoke/body.ts";
import { inflate } from "../../../kubeless-loader/src/invoke/inflate.ts";

const MB = 1024 * 1024;
const BODY = Buffer.alloc(8 * MB);
const brotli = (windowBits: number) =>
	brotliCompressSync(BODY, { params: { [constants.BROTLI_PARAM_LGWIN]: windowBits, [constants.BROTLI_PARAM_QUALITY]: 5 } });

/** Inflates a body, and returns its fault or length, and the most bytes that were reserved. */
function inflated(bytes: Buffer, coding: "gzip" | "br", budgetBytes: number) {
	const budget = new ByteBudget(budgetBytes);
	let most = 0;
	const reserve = budget.reserve.bind(budget);
	budget.reserve = (wanted) => {
		const isReserved = reserve(wanted);
		most = Math.max(most, budget.reserved);
		return isReserved;
	};
	return new Promise<{ ended: string | number; most: number; left: number }>((resolve) => {
		inflate({ parts: [bytes], length: bytes.length }, coding, 100 * MB, budget, (fault, { length }, reserved) =>
			resolve({ ended: fault ?? length, most, left: budget.reserved - reserved }),
		);
	});
}

describe("the memory of an inflater", () => {
	for (const windowBits of [10, 16, 17, 18, 22, 23, 24]) {
		test(`in br, with a window of 2^${windowBits} bytes, is in the budget until it is done`, async () => {
			const window = Math.min(2 ** windowBits, BODY.length);
			assert.deepEqual(await inflated(brotli(windowBits), "br", 100 * MB), { ended: BODY.length, most: BODY.length + window, left: 0 });
		});
	}

	test("in gzip is 32 KiB", async () => {
		assert.deepEqual(await inflated(gzipSync(BODY), "gzip", 100 * MB), { ended: BODY.length, most: BODY.length + 32 * 1024, left: 0 });
	});

	test("without room in the budget ends the body, and all of it is released", async () => {
		const { ended, left } = await inflated(brotli(24), "br", 12 * MB);
		assert.deepEqual({ ended, left }, { ended: "MEMORY_FULL", left: 0 });
	});
});
