exports.WORD = "the word";
