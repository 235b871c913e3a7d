// An ordinary web server on node:http. The request's path selects the behaviour.
import { createHash } from "node:crypto";
import http from "node:http";

const { PORT, KUBELESS_WORKER_SOCKET, START_MS = "0", NEVER_READY } = process.env;
let calls = 0;
let seen = 0;
let left = 0;
let whole = 0;
let cut = 0;

const server = http.createServer({ keepAliveTimeout: Number(process.env.KEEP_ALIVE_MS ?? 5000) }, (request, response) => {
	const { pathname, searchParams } = new URL(request.url, "http://here");
	calls++;
	request.on("close", () => {});
	response.on("close", () => {
		if (!response.writableFinished) left++;
	});
	const act = {
		"/echo": () => {
			response.setHeader("Content-Type", request.headers["content-type"] ?? "application/octet-stream");
			request.pipe(response);
		},
		"/seen": () => {
			const body = [];
			request.on("data", (chunk) => body.push(chunk));
			request.on("end", () =>
				response.end(
					JSON.stringify({
						method: request.method,
						url: request.url,
						headers: request.rawHeaders,
						body: Buffer.concat(body).toString("base64"),
					}),
				),
			);
		},
		"/digest": () => {
			const hash = createHash("sha256");
			request.on("data", (chunk) => hash.update(chunk));
			request.on("end", () => response.end(hash.digest("hex")));
		},
		"/upload": () => {
			request.resume();
			request.on("error", () => {});
			request.on("end", () => {
				whole++;
				response.end("whole");
			});
			request.on("close", () => {
				if (!request.complete) cut++;
			});
		},
		"/unread": () => {},
		"/die-reading": () => request.once("data", () => process.kill(process.pid, "SIGKILL")),
		"/drip": () => {
			response.write("first ");
			const timer = setInterval(() => response.write("and more "), 50);
			response.on("close", () => clearInterval(timer));
		},
		// Answers as soon as the first bytes arrive.
		"/first": () => {
			request.once("data", (chunk) => response.write(`first ${chunk.length > 0}\n`));
			request.on("data", () => {});
			request.on("end", () => response.end("last\n"));
		},
		"/early": () => {
			response.writeHead(403, { "Content-Type": "text/plain" });
			response.end("no");
		},
		"/cookies": () => {
			response.setHeader("Set-Cookie", ["a=1; Path=/", "b=2"]);
			response.setHeader("X-Own", "ä is not ASCII: \xe4".replace("ä", ""));
			response.writeHead(Number(searchParams.get("status") ?? 200));
			response.end("cookies");
		},
		"/report": () => {
			response.writeHead(Number(searchParams.get("status") ?? 500), { "Kubeless-Error": searchParams.get("code") });
			// Two pieces with a delay: the loader must not forward the first one as an answer.
			const words = searchParams.get("words");
			response.write(words.slice(0, 5));
			setTimeout(() => response.end(words.slice(5)), 50);
		},
		"/trailers": () => {
			response.writeHead(200, { Trailer: "X-Sum" });
			response.write("with ");
			response.addTrailers({ "X-Sum": "42" });
			response.end("trailers");
		},
		"/many": () => {
			const piece = Buffer.alloc(64 * 1024, "x");
			let written = 0;
			const total = Number(searchParams.get("bytes"));
			const more = () => {
				while (written < total) {
					const free = response.write(piece);
					written += piece.length;
					seen = written;
					if (!free) return void response.once("drain", more);
				}
				response.end();
			};
			more();
		},
		"/pieces": () => {
			response.write("one ");
			setTimeout(() => response.write("two "), 100);
			setTimeout(() => response.end("three"), 200);
		},
		"/counts": () => response.end(JSON.stringify({ calls, seen, left, whole, cut, pid: process.pid })),
		"/env": () => response.end(process.env[searchParams.get("name")] ?? ""),
		"/print": () => {
			console.log("to stdout");
			console.error("to stderr");
			response.end();
		},
		"/hang": () => {},
		"/busy": () => {
			for (;;);
		},
		"/sleep": () => setTimeout(() => response.end("slept"), Number(searchParams.get("ms"))),
		"/exit": () => process.exit(Number(searchParams.get("code") ?? 3)),
		"/half": () => {
			response.writeHead(200, { "Content-Length": 1000 });
			response.write("half");
			setTimeout(() => process.kill(process.pid, "SIGKILL"), 50);
		},
		"/ready": () => {
			response.writeHead(NEVER_READY ? 503 : 200);
			response.end();
		},
		"/close": () => {
			server.close(() => {});
			response.end("closing");
		},
	}[pathname];
	if (act) act();
	else response.end(`hello ${pathname}`);
});

// Echoes bytes after the upgrade, without WebSocket frames.
server.on("upgrade", (request, socket) => {
	if (request.url === "/refuse") return socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
	calls++;
	if (request.url === "/hang") return;
	if (request.url === "/cut") return socket.destroy();
	if (request.url === "/die") return process.kill(process.pid, "SIGKILL");
	socket.write(
		`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Protocol: ${request.headers["sec-websocket-protocol"] ?? ""}\r\n\r\n`,
	);
	socket.on("error", () => {});
	socket.pipe(socket);
});

setTimeout(() => {
	if (KUBELESS_WORKER_SOCKET) server.listen(KUBELESS_WORKER_SOCKET);
	else server.listen(Number(process.env.OWN_PORT ?? PORT), process.env.OWN_HOST);
}, Number(START_MS));
