const ms = require("ms");

module.exports = {
	// curl 'localhost:8080?in=2%20days'
	handler: ({ extensions: { request } }) => `${request.query.in || "1h"} is ${ms(request.query.in || "1h")} ms`,
};
