"use strict";

const { EventEmitter } = require("node:events");
const { application, request, response } = require("../../dist/express.js");

/**
 * Where Express's requests and responses read their settings. It serves nothing, so it has no
 * routes.
 */
const app = Object.assign(() => {}, EventEmitter.prototype, application);
app.init();
app.disable("x-powered-by");

module.exports = { app, request, response };
