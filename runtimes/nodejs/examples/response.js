// curl --include 'localhost:8080/things?id=7'
module.exports = {
	handler({ extensions: { request, response } }) {
		if (!request.query.id) {
			response.status(400);
			return "Which one? Add ?id=…\n";
		}
		response.status(201).set("Location", `${request.path}/${request.query.id}`);
		return { id: request.query.id };
	},
};
