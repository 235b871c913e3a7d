import ballerina/http;
import ballerina/io;

# Makes the HTTP response of a function's result.
#
# + result - the result, or the error that the function returned or panicked with
# + return - the response
public isolated function answer(any|error result) returns http:Response {
    if result is error {
        return failed("FUNCTION_THREW", result);
    }
    if result is http:Response {
        return result;
    }
    http:Response response = new;
    if result is string {
        response.setBinaryPayload(result.toBytes(), "text/plain; charset=utf-8");
    } else if result is xml {
        response.setXmlPayload(result);
    } else if result is byte[] {
        response.setBinaryPayload(result);
    } else if result is stream<byte[], io:Error?> {
        response.setByteStream(result);
    } else if result is () {
        return response;
    } else if result is anydata {
        json|error body = trap result.toJson();
        if body is error {
            return failed("RESULT_INVALID", body);
        }
        response.setJsonPayload(body);
    } else {
        return failed("RESULT_INVALID", error("the function returned a value of " + (typeof result).toString() + ", which cannot be sent"));
    }
    return response;
}

# Makes the response of a failed call. The loader logs its body and does not send it
# (docs/errors.md).
isolated function failed(string code, error why) returns http:Response {
    string stack = why.toString();
    foreach error:StackFrame frame in why.stackTrace() {
        // "fileName: hello.bal lineNumber: 3" becomes hello.bal:3, which editors can open.
        stack += "\n    at " + re `\s+lineNumber:\s*`.replaceAll(frame.toString(), ":");
    }
    http:Response response = new;
    response.statusCode = code == "BODY_MALFORMED" ? 400 : 500;
    response.setHeader("Kubeless-Error", code);
    response.setJsonPayload({message: why.message(), stack});
    return response;
}
