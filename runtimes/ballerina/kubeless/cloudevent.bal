import ballerina/http;
import ballerina/lang.array;
import ballerina/url;

# Binary mode: the attributes are headers. The loader percent-encodes the event's fields if needed.
isolated function readAttributes(http:Request request, Event event) {
    foreach string name in request.getHeaderNames() {
        string lower = name.toLowerAscii();
        if lower.startsWith("ce-") {
            event.extensions.attributes[lower.substring(3)] = decoded(header(request, name));
        }
    }
    event.event_id = decoded(event.event_id);
    event.event_type = decoded(event.event_type);
    event.event_time = decoded(event.event_time);
    event.event_namespace = decoded(event.event_namespace);
}

# Structured mode: the body is JSON with the attributes and the data.
isolated function openEnvelope(Event event) returns error? {
    json envelope = check event.data.fromJsonString();
    if envelope !is map<json> {
        return error("a CloudEvent is a JSON object");
    }
    map<string> attributes = event.extensions.attributes;
    foreach [string, json] [name, value] in envelope.entries() {
        if name != "data" && name != "data_base64" && value !is () {
            attributes[name] = value is string ? value : value.toJsonString();
        }
    }
    foreach string name in ["specversion", "id", "source", "type"] {
        if !attributes.hasKey(name) {
            return error("a CloudEvent must have the attribute \"" + name + "\"");
        }
    }
    event.event_id = attributes["id"] ?: "";
    event.event_type = attributes["type"] ?: "";
    event.event_time = attributes["time"] ?: "";
    event.event_namespace = attributes["source"] ?: "";
    event.data = check dataOf(envelope, mediaType(attributes["datacontenttype"] ?: ""));
}

isolated function dataOf(map<json> envelope, string kind) returns string|error {
    json encoded = envelope["data_base64"];
    if encoded is string {
        byte[] bytes = check array:fromBase64(encoded);
        return string:fromBytes(bytes);
    }
    json data = envelope["data"];
    if data is () {
        return "";
    }
    // CloudEvents JSON format 1.0 §3.1: with a type that is not JSON, a string is the data itself.
    if data is string && kind != "" && !isJson(kind) {
        return data;
    }
    return data.toJsonString();
}

# Decodes an attribute (HTTP binding 1.0 §3.1.3.2). There a plus sign is no space.
isolated function decoded(string text) returns string {
    string|error plain = url:decode(re `\+`.replaceAll(text, "%2B"), "UTF-8");
    return plain is string ? plain : text;
}
