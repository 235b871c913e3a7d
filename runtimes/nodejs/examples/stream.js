const SECOND = 1000; // ms

// curl --no-buffer localhost:8080
module.exports = {
	async *handler(_event, context) {
		for (let i = 1; i <= 5 && !context.signal.aborted; i++) {
			yield `${i}\n`;
			await new Promise((resolve) => setTimeout(resolve, SECOND));
		}
	},
};
