import kubeless/kubeless;

public isolated function single(kubeless:Event event, kubeless:Context context) returns string|error {
    return "the only one";
}
