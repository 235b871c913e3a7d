import { Socket } from "node:net";

// Treats each read as one frame, which works only while frames are small and few.
const wire = new Socket({ fd: 3 });
wire.write('{"type":"ready","wire":1,"handler":"echoes"}\n');
wire.on("data", (chunk) => {
	const [line] = chunk.toString("latin1").split("\n", 1);
	const { type, id, head = 0, body = 0 } = JSON.parse(line);
	if (type === "stop") process.exit(0);
	const start = line.length + 1 + head;
	wire.write(`{"type":"result","id":${id},"body":${body}}\n`);
	wire.write(chunk.subarray(start, start + body));
});
