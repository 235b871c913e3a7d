import kubeless/kubeless;

type Order record {
    string item;
    int count = 1;
};

public isolated function data(kubeless:Event event, kubeless:Context context) returns json|error {
    Order wanted = check event.data.fromJsonStringWithType();
    return {item: wanted.item, count: wanted.count, 'type: event.event_type};
}
