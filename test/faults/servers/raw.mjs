// A server that breaks HTTP. The request's path selects the fault.
import { appendFileSync } from "node:fs";
import net from "node:net";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
let requests = 0;

// With DEAF_TO_ENDS the server keeps its side of a connection open after the loader has closed the
// other.
const server = net.createServer({ allowHalfOpen: process.env.DEAF_TO_ENDS !== undefined }, (socket) => {
	let text = "";
	socket.on("error", () => {});
	socket.on("data", (bytes) => {
		text += bytes.toString("latin1");
		for (;;) {
			const end = text.indexOf("\r\n\r\n");
			if (end < 0) return;
			const head = text.slice(0, end);
			text = text.slice(end + 4);
			const path = head.split(" ")[1];
			requests++;
			if (process.env.REQUESTS) appendFileSync(process.env.REQUESTS, `${path}\n`);
			answer(socket, path);
		}
	});
});

function answer(socket, path) {
	const write = (text) => socket.write(text, "latin1");
	switch (path) {
		case "/count":
			return write(`HTTP/1.1 200 OK\r\nContent-Length: ${String(requests).length}\r\n\r\n${requests}`);
		case "/close-at-once":
			return socket.destroy();
		case "/reset":
			return socket.resetAndDestroy();
		case "/garbage":
			return write("this is not HTTP\r\n\r\n");
		case "/half-head":
			return void socket.end("HTTP/1.1 200 OK\r\nContent-Le", "latin1");
		case "/short":
			return void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "latin1");
		case "/short-then-silence":
			return write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
		case "/cut-chunks":
			return void socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n", "latin1");
		case "/cut-chunks-close":
			return void socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n", "latin1");
		case "/bad-chunk":
			return write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nfirst\r\n");
		case "/two-lengths":
			return write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello");
		case "/until-close":
			return void socket.end("HTTP/1.0 200 OK\r\n\r\nuntil the end", "latin1");
		case "/until-death":
			write("HTTP/1.0 200 OK\r\n\r\nuntil the e");
			return void setTimeout(() => process.kill(process.pid, "SIGKILL"), 50);
		case "/twice":
			return write(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond`);
		case "/twice-later":
			write(OK);
			return void setTimeout(() => write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"), 20);
		case "/close-after":
			write(OK);
			return void socket.end();
		case "/dribble": {
			const whole = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\ndribbled all";
			let at = 0;
			const timer = setInterval(() => {
				socket.write(whole[at++]);
				if (at === whole.length) clearInterval(timer);
			}, 5);
			return;
		}
		case "/interim":
			return write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`);
		case "/unasked-upgrade":
			return write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
		case "/long-head":
			return write(`HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(100_000)}\r\nContent-Length: 2\r\n\r\nok`);
		case "/no-content":
			return write("HTTP/1.1 204 No Content\r\n\r\n");
		case "/late":
			return void setTimeout(() => write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"), 700);
		case "/hang":
			return;
		// Keeps running, but accepts no more connections.
		case "/deaf":
			write(OK);
			return void server.close();
		default:
			return write(OK);
	}
}

server.listen(Number(process.env.PORT), "127.0.0.1");
