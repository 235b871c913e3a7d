import ballerina/http;
import kubeless/kubeless;

public isolated function create(kubeless:Event event, kubeless:Context context) returns http:Response {
    http:Response response = new;
    response.statusCode = 201;
    response.setHeader("Location", "/orders/7");
    response.setTextPayload("created\n");
    return response;
}
