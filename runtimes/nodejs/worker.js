"use strict";

// Node.js 18 and later run the source. Older versions run what build.mjs makes of it for Node.js 6.
require(parseInt(process.versions.node, 10) >= 18 ? "./src/worker.js" : "./dist/node6.js");
