// A function that appends each executed message to a file before it answers: PORT FILE SEED. One of
// ten calls fails. The file stays if this process is killed.
import { openSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { random } from "./random.ts";

const [port, file, seed] = process.argv.slice(2) as [string, string, string];
const chance = random(Number(seed));
const out = openSync(file, "a");
const server = createServer((request, response) => {
	const chunks: Buffer[] = [];
	request.on("data", (chunk: Buffer) => chunks.push(chunk));
	request.on("end", () => {
		const fails = chance() < 0.1;
		writeSync(out, `${Buffer.concat(chunks)} ${fails ? "failed" : "OK"}\n`);
		response.writeHead(fails ? 500 : 200).end();
	});
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), "127.0.0.1");
