import kubeless/kubeless;

type Caller record {
    string name;
};

public isolated function greet(kubeless:Event event, kubeless:Context context) returns json|error {
    Caller caller = check event.data.fromJsonStringWithType();
    return {hello: caller.name};
}
