exports.env = (event) => process.env[event.data] ?? "not set";
