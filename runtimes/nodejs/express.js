"use strict";

const { EventEmitter } = require("events");
const { application, request, response } = require("./dist/express.js");

/** The application that Express's requests and responses ask for their settings. It has no routes: nothing is served by it. */
const app = Object.assign(() => {}, EventEmitter.prototype, application);
app.init();
app.disable("x-powered-by");
// The worker knows no peer's address: what the nearest proxy says of it is the only thing to be had.
app.set("trust proxy", 1);

module.exports = { app, request, response };
