/** What goes on, on one line of a terminal that the next word replaces; elsewhere nothing, since logs would fill with it. */
export function progress(title: string): { say(what: string): void; end(): void } {
	const { stderr } = process;
	const write = (text: string) => stderr.isTTY && stderr.write(`\r\x1b[K${text.slice(0, stderr.columns - 1)}`);
	return { say: (what) => write(`${title}: ${what}`), end: () => write("") };
}
