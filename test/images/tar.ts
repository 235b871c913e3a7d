/** An entry of an archive; `type` is the type flag of the format. */
export interface Entry {
	readonly name: string;
	readonly type?: "file" | "hardlink" | "symlink" | "device";
	readonly to?: string;
	readonly text?: string;
	readonly mode?: number;
}

const TYPES = { file: "0", hardlink: "1", symlink: "2", device: "3" };

/** Returns a tar (ustar) with these entries unchanged, also with invalid ones. */
export function tar(entries: readonly Entry[]): Buffer {
	const blocks = entries.flatMap(({ name, type = "file", to = "", text = "", mode = 0o644 }) => {
		const body = Buffer.from(text);
		const header = Buffer.alloc(512);
		header.write(name, 0, 100);
		const octal = (value: number, at: number, size: number) => header.write(value.toString(8).padStart(size - 1, "0"), at, size);
		octal(mode, 100, 8);
		octal(0, 108, 8);
		octal(0, 116, 8);
		octal(body.length, 124, 12);
		octal(0, 136, 12);
		header.write(TYPES[type], 156, 1);
		header.write(to, 157, 100);
		// Device numbers: those of /dev/null.
		octal(1, 329, 8);
		octal(3, 337, 8);
		header.write("ustar\x0000", 257, 8);
		// The checksum is computed with blanks in its own field.
		header.fill(" ", 148, 156);
		octal(
			header.reduce((sum, byte) => sum + byte, 0),
			148,
			7,
		);
		return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
	});
	return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
