"use strict";

/** The only handler of its file: a worker finds it without being told its name. */
exports.single = () => "the only one";
