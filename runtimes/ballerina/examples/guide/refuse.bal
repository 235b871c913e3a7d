import kubeless/kubeless;

public isolated function refuse(kubeless:Event event, kubeless:Context context) returns string|error {
    return error("no such order");
}
