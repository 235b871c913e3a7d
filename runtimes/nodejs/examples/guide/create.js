exports.create = (event, context) => {
	event.extensions.response.status(201).set("Location", "/orders/7");
	return "created\n";
};
