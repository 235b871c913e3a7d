// The module kubeless of a function for Ballerina 0.975 to 0.983. Their syntaxes for documentation
// differ, so there is none.
import ballerina/http;
import ballerina/system;

public type Event record {
    string data;
    string event_id;
    string event_type;
    string event_time;
    string event_namespace;
    map extensions;
};

public type Context record {
    string function_name;
    string time_out;
    string runtime;
    string memory_limit;
};

// The port to listen on, which the loader chose.
public function port() returns int {
    int number = 0;
    match <int>system:getEnv("PORT") {
        int value => {
            number = value;
        }
        error problem => {
            throw problem;
        }
    }
    return number;
}

public function contextOf() returns Context {
    Context callContext = {
        function_name: system:getEnv("FUNC_HANDLER"),
        time_out: system:getEnv("FUNC_TIMEOUT"),
        runtime: system:getEnv("FUNC_RUNTIME"),
        memory_limit: system:getEnv("FUNC_MEMORY_LIMIT")
    };
    return callContext;
}

public function eventOf(http:Request request) returns Event {
    Event event = {
        data: bodyOf(request),
        event_id: header(request, "event-id"),
        event_type: header(request, "event-type"),
        event_time: header(request, "event-time"),
        event_namespace: header(request, "event-namespace"),
        extensions: { "request": request }
    };
    return event;
}

function bodyOf(http:Request request) returns string {
    string text = "";
    if (hasBody(request)) {
        match request.getPayloadAsString() {
            string payload => {
                text = payload;
            }
            error problem => {
                throw problem;
            }
        }
    }
    return text;
}

// Reading an absent body is an error.
function hasBody(http:Request request) returns boolean {
    if (request.hasHeader("content-length")) {
        return request.getHeader("content-length") != "0";
    }
    return request.hasHeader("transfer-encoding");
}

function header(http:Request request, string name) returns string {
    string value = "";
    if (request.hasHeader(name)) {
        value = request.getHeader(name);
    }
    return value;
}

// The answer of a call that succeeded.
public function answer(string text) returns http:Response {
    http:Response response = textResponse(text);
    response.setHeader("content-type", "text/plain; charset=utf-8");
    return response;
}

// The answer of a failed call. The loader logs its body and does not send it (docs/errors.md).
public function failed(error problem) returns http:Response {
    http:Response response = textResponse(problem.message);
    response.statusCode = 500;
    response.setHeader("Kubeless-Error", "FUNCTION_THREW");
    return response;
}

// The listener compresses answers that do not name an encoding. The loader reads those of failed
// calls.
function textResponse(string text) returns http:Response {
    http:Response response = new;
    response.setTextPayload(untaint text);
    response.setHeader("content-encoding", "identity");
    return response;
}
