import { crc32 } from "node:zlib";

/**
 * Returns a zip of uncompressed files. Names are unchanged, also those that lead out of the folder.
 */
export function zip(files: Readonly<Record<string, string | Buffer>>): Buffer {
	const local: Buffer[] = [];
	const central: Buffer[] = [];
	let offset = 0;
	for (const [name, text] of Object.entries(files)) {
		const path = Buffer.from(name);
		const body = Buffer.from(text as string); // accepts a Buffer, too
		// The part that both headers share: version 2.0, no flags, stored, 1 January 1980, checksum and
		// sizes.
		const common = Buffer.alloc(26);
		common.writeUInt16LE(20, 0);
		common.writeUInt32LE(0x0021_0000, 6);
		common.writeUInt32LE(crc32(body), 10);
		common.writeUInt32LE(body.length, 14);
		common.writeUInt32LE(body.length, 18);
		common.writeUInt16LE(path.length, 22);
		const header = Buffer.concat([Buffer.from("PK\x03\x04"), common, path, body]);
		const tail = Buffer.alloc(14);
		tail.writeUInt32LE(offset, 10);
		central.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), common, tail, path]));
		local.push(header);
		offset += header.length;
	}
	const directory = Buffer.concat(central);
	const end = Buffer.alloc(22);
	end.write("PK\x05\x06");
	end.writeUInt16LE(central.length, 8);
	end.writeUInt16LE(central.length, 10);
	end.writeUInt32LE(directory.length, 12);
	end.writeUInt32LE(offset, 16);
	return Buffer.concat([...local, directory, end]);
}
