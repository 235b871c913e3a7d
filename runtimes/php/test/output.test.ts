import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Loader } from "../../../test/support/loader.ts";
import { serve, skip } from "./play.ts";

describe("php: the output of a function", { skip }, () => {
	const source = `
		function h($event, $context) {
			switch ($event->data) {
				case 'warning': return 1 + $undefined;
				case 'quiet': @file_get_contents('/no/such'); return error_get_last()['message'];
				case 'open': ob_start(); echo 'inner '; ob_start(); echo "half"; return 'left';
				case 'own': ob_start(); echo 'kept'; return ob_get_clean();
				case 'cleared': while (ob_get_level()) ob_end_clean(); echo "raw\\n"; return 'went on';
				default: echo 'a', 'b', "c\\nd"; return 'done';
			}
		}`;

	/**
	 * What a call is answered, and the lines it prints, each behind its stream: as many as it should
	 * be, or more.
	 */
	const printed = async (loader: Loader, body: string, count: number): Promise<string[]> => {
		const before = loader.records.length;
		const { text } = await loader.ask({ body });
		const lines = () => loader.records.slice(before).filter(({ stream, call }) => stream !== undefined && call !== undefined);
		await loader.until(`${count} lines`, () => (lines().length >= count ? true : undefined));
		return [text, ...lines().map(({ stream, msg }) => `${stream}: ${msg}`)];
	};

	test("output is logged in whole lines with the call, and warnings are logged as stderr", async (t) => {
		const loader = await serve(t, source);
		assert.deepEqual(await printed(loader, "x", 2), ["done", "stdout: abc", "stdout: d"]);
		const [text, line] = await printed(loader, "warning", 1);
		assert.equal(text, "1");
		assert.match(line as string, /^stderr: PHP Warning: {2}Undefined variable \$undefined in .*f\.php on line 5$/);
		const [quiet, ...none] = await printed(loader, "quiet", 0);
		assert.match(quiet as string, /no\/such/);
		assert.deepEqual(none, []);
	});

	test("output is logged from buffers that the handler leaves open, and not from those it empties", async (t) => {
		const loader = await serve(t, source);
		assert.deepEqual(await printed(loader, "own", 0), ["kept"]);
		assert.deepEqual(await printed(loader, "open", 1), ["left", "stdout: inner half"]);
		assert.deepEqual(await printed(loader, "cleared", 0), ["went on"]);
		await loader.said(({ msg, call }) => msg === "raw" && call === undefined);
		assert.deepEqual(await printed(loader, "x", 2), ["done", "stdout: abc", "stdout: d"]);
	});
});
