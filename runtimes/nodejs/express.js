"use strict";

const { EventEmitter } = require("events");
const { application, request, response } = require("./dist/express.js");

/** The application that Express's requests and responses ask for their settings. It has no routes: nothing is served by it. */
const app = Object.assign(() => {}, EventEmitter.prototype, application);
app.init();
app.disable("x-powered-by");

module.exports = { app, request, response };
