exports.greet = (event, context) => ({ hello: event.data.name });
