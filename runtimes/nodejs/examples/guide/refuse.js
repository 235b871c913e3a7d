exports.refuse = (event, context) => {
	throw new Error("no such order");
};
