const { WORD } = require("./words");

exports.helped = () => WORD;
