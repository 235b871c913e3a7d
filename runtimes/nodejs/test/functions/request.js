exports.h = ({ data, extensions: { request } }) => ({
	data,
	type: request.get("content-type"),
	body: request.body.toString(),
	length: request.get("content-length"),
});
