"use strict";

/** The only handler of its file: a worker finds it without FUNC_HANDLER. */
exports.single = () => "the only one";
