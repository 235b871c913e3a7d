"use strict";

// In the place of side-channel, by which qs remembers objects it has seen.
module.exports = () => {
	const map = new Map();
	return { get: (key) => map.get(key), set: (key, value) => map.set(key, value), has: (key) => map.has(key), assert() {} };
};
