// nginx with one worker process and the loader's features: keep-alive connections, X-Forwarded-For,
// a buffered access log.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOrigin } from "./origin.mjs";

const folder = mkdtempSync(join(tmpdir(), "kubeless-bench-nginx-"));
const port = await startOrigin();
const own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
writeFileSync(
	join(folder, "nginx.conf"),
	`daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr; ${process.getuid?.() === 0 ? "user root;" : ""}
events { worker_connections 1024; }
http {
	${own.join(" ")}
	access_log ${folder}/access.log combined buffer=32k flush=1s;
	client_max_body_size 100m; client_body_buffer_size 128k;
	upstream origin { server 127.0.0.1:${port}; keepalive 128; }
	server {
		listen 127.0.0.1:${process.env.PORT};
		keepalive_requests 1000000;
		location / {
			proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
			proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
		}
	}
}
`,
);
const nginx = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "inherit" });
nginx.on("error", ({ message }) => {
	console.error(message);
	process.exit(1);
});
nginx.on("exit", (code) => process.exit(code ?? 1));
process.on("exit", () => {
	nginx.kill();
	rmSync(folder, { recursive: true, force: true });
});
