// The control of all ratios: a minimal node:http server.
import http from "node:http";

const server = http.createServer((request, response) => {
	if (request.method === "GET") {
		response.writeHead(200, { "content-type": "text/plain", "content-length": 11 });
		response.end("hello world");
		return;
	}
	const chunks = [];
	request.on("data", (chunk) => chunks.push(chunk));
	request.on("end", () => {
		const body = Buffer.concat(chunks);
		// What a function that is handed a parsed event and returns it does, too.
		const answer = request.url === "/json" ? Buffer.from(JSON.stringify(JSON.parse(body.toString()))) : body;
		response.writeHead(200, { "content-type": request.headers["content-type"], "content-length": answer.length });
		response.end(answer);
	});
});

server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
