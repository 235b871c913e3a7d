// curl --data '{"name":"Ada"}' --header 'Content-Type: application/json' localhost:8080
module.exports = {
	handler: ({ data }, context) => ({ hello: data.name || "World", from: context["function-name"] }),
};
