"use strict";

// In the place of debug, depd and finalhandler: they print for the authors of Express applications,
// and there is none.
module.exports = () =>
	Object.assign(() => {}, { enabled: false, function: (/** @type {Function} */ deprecated) => deprecated, property() {} });
