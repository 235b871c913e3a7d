/**
 * Shows progress on one line of a terminal, which each report replaces. Prints nothing if stdout is
 * not a terminal.
 */
export function progress(title: string): { report(what: string): void; end(): void } {
	const { stderr } = process;
	const write = (text: string) => stderr.isTTY && stderr.write(`\r\x1b[K${text.slice(0, stderr.columns - 1)}`);
	return { report: (what) => write(`${title}: ${what}`), end: () => write("") };
}
