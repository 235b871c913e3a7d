"use strict";

/**
 * A file that cannot be loaded: line 17, as in every language, is not JavaScript.
 *
 * The worker's message must name this file and that line.
 */

exports.echoes = (event) => {
	return event.data;
};

exports.raises = (event) => {
	throw new Error(event.data);
};

exports.types = (this is not JavaScript
