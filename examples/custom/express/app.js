// An ordinary Express application.
const express = require("express");

const app = express();
app.use(express.json());

app.get("/", (_request, response) => {
	response.send("hello world");
});

app.post("/greet/:name", (request, response) => {
	response.status(201).json({ greeting: `${request.body?.word ?? "hello"} ${request.params.name}`, event: request.get("event-id") });
});

app.get("/ticks", (_request, response) => {
	let tick = 0;
	const timer = setInterval(() => {
		response.write(`tick ${++tick}\n`);
		if (tick === 3) response.end();
	}, 200);
	response.on("close", () => clearInterval(timer));
});

app.get("/slow", (_request, response) => {
	setTimeout(() => response.send("late"), 60_000);
});

app.get("/healthy", (_request, response) => {
	response.send("yes");
});

app.listen(process.env.PORT || 3000, "127.0.0.1");
