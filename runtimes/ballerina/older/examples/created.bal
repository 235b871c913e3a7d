import ballerina/http;
import kubeless/kubeless;

public function created(kubeless:Event event, kubeless:Context context) returns (http:Response|error) {
    http:Response response = new;
    response.statusCode = 201;
    response.setHeader("Location", "/orders/7");
    response.setTextPayload("created");
    return response;
}
