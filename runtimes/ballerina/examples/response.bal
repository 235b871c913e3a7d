import ballerina/http;
import kubeless/kubeless;

public isolated function response(kubeless:Event event, kubeless:Context context) returns http:Response|error {
    string? name = event.extensions.request.getQueryParamValue("name");
    http:Response answer = new;
    answer.statusCode = name is () ? 404 : 200;
    answer.setHeader("X-Function", context.function_name);
    answer.setTextPayload(name is () ? "who?" : "hello " + name);
    return answer;
}
