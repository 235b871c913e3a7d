const { setTimeout: sleep } = require("timers/promises");

exports.count = async function* (event, context) {
	for (let number = 1; number <= 3; number++) {
		yield `${number}\n`;
		await sleep(100); // ms
	}
};
