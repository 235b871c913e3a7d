// The function of test/chaos (its README describes it), as a server of its own.
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

const VERSION = "one";
const { FAULTS_NOTES, KUBELESS_WORKER_SOCKET, PORT } = process.env;

const server = http.createServer(async (request, response) => {
	try {
		const body = Buffer.concat(await request.toArray());
		await notes(request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body, response);
	} catch (error) {
		if (response.headersSent) return void response.destroy();
		response.writeHead(500, { "Kubeless-Error": "FUNCTION_THREW" });
		response.end(JSON.stringify({ message: error.message, stack: error.stack }));
	}
});

async function notes(data, response) {
	const [id, action, number] = data.toString().split("\n", 1)[0].split(" ");
	const line = `${id} ${VERSION}\n`;
	appendFileSync(`${FAULTS_NOTES}/${process.pid}`, line);
	switch (action) {
		case "echo":
			return response.end(data);
		case "sleep":
			await sleep(Number(number));
			break;
		case "stream":
			for (let piece = 0; piece < number; piece++) response.write(line);
			return response.end();
		case "raise":
			throw new Error(id);
		case "die":
			return process.kill(process.pid, "SIGKILL");
		case "hoard":
			return response.end(String(new ArrayBuffer(2 ** 50).byteLength));
		case "print":
			process.stdout.write(Buffer.alloc(Number(number), '{"\xff\0\n', "latin1"));
			break;
		case "spawn":
			spawn("sleep", ["30"], { stdio: "ignore" });
			break;
		case "wire":
			response.socket.write("no frame\n");
			break;
		case "answer":
			return response.end(line.repeat(Number(number)));
	}
	response.end(line);
}

server.listen(KUBELESS_WORKER_SOCKET ?? Number(PORT));
