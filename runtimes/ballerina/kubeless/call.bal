import ballerina/http;
import ballerina/os;

# The port to listen on, which the loader chose.
public final int port = check int:fromString(os:getEnv("PORT"));

final string functionName = os:getEnv("FUNC_HANDLER");
final string timeOut = os:getEnv("FUNC_TIMEOUT");
final string runtimeName = os:getEnv("FUNC_RUNTIME");
final string memoryLimit = os:getEnv("FUNC_MEMORY_LIMIT");

# Makes the event and context of a request.
#
# + request - the loader's request
# + return - the call, or the response to a body that does not fit its type
public isolated function read(http:Request request) returns Call|http:Response {
    Event|error event = eventOf(request);
    if event is error {
        return failed("BODY_MALFORMED", event);
    }
    return {
        event,
        context: {
            function_name: functionName,
            time_out: timeOut,
            runtime: runtimeName,
            memory_limit: memoryLimit
        }
    };
}

isolated function eventOf(http:Request request) returns Event|error {
    byte[] body = check bodyOf(request);
    string|error text = string:fromBytes(body);
    Event event = {
        data: text is string ? text : "",
        event_id: header(request, "event-id"),
        event_type: header(request, "event-type"),
        event_time: header(request, "event-time"),
        event_namespace: header(request, "event-namespace"),
        extensions: {request, bytes: body}
    };
    string kind = mediaType(request.getContentType());
    if kind == "application/cloudevents+json" {
        check openEnvelope(event);
    } else {
        if request.hasHeader("ce-specversion") {
            readAttributes(request, event);
        }
        // Only checked: the function parses it into a record of its own.
        if body.length() > 0 && isJson(kind) {
            _ = check event.data.fromJsonString();
        }
    }
    return event;
}

isolated function bodyOf(http:Request request) returns byte[]|error {
    if !request.hasHeader("content-length") && !request.hasHeader("transfer-encoding") {
        return [];
    }
    if header(request, "content-length") == "0" {
        return [];
    }
    return request.getBinaryPayload();
}

isolated function header(http:Request request, string name) returns string {
    string|error value = request.getHeader(name);
    return value is string ? value : "";
}

# Returns a media type without its parameters: `application/json` of
# `application/json; charset=utf-8`.
isolated function mediaType(string contentType) returns string {
    int? end = contentType.indexOf(";");
    return (end is int ? contentType.substring(0, end) : contentType).trim().toLowerAscii();
}

isolated function isJson(string kind) returns boolean {
    return kind == "application/json" || kind.endsWith("+json");
}
