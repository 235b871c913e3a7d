// A minimal proxy with undici: no limits, no time-outs, no metrics, no log.
import http from "node:http";
import { Pool } from "undici";
import { startOrigin } from "./origin.mjs";

const pool = new Pool(`http://127.0.0.1:${await startOrigin()}`);

http
	.createServer((request, response) => {
		const { method, url: path, headers } = request;
		const body = "content-length" in headers || "transfer-encoding" in headers ? request : null;
		const { connection: _, "transfer-encoding": __, expect: ___, ...passed } = headers;
		pool
			.stream({ method, path, headers: passed, body, opaque: response }, ({ statusCode, headers, opaque }) => {
				opaque.writeHead(statusCode, headers);
				return opaque;
			})
			.catch(() => response.destroy());
	})
	.listen(Number(process.env.PORT), "127.0.0.1");
