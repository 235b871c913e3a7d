"use strict";

// build.mjs copies this file as it is: Node.js before 12 cannot parse it, and never loads it.
module.exports = (/** @type {string} */ url) => import(url);
