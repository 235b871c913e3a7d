// A function that counts its calls: POST / answers OK, GET / answers the number of calls since the
// previous DELETE /.
import { createServer } from "node:http";

let calls = 0;
const server = createServer((request, response) => {
	if (request.method === "GET") return response.end(String(calls));
	if (request.method === "DELETE") calls = 0;
	request.resume().on("end", () => {
		if (request.method === "POST") calls++;
		response.end("OK");
	});
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), "127.0.0.1");
