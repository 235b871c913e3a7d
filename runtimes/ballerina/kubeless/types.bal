import ballerina/http;

# The event of a call.
public type Event record {
    # the body as text; "" without a body, or if it is not UTF-8
    string data = "";
    # this and the next three: "" if the caller gave none
    string event_id = "";
    string event_type = "";
    string event_time = "";
    string event_namespace = "";
    Extensions extensions = {};
};

# Fields of the event that Kubeless itself did not have.
public type Extensions record {
    # the request
    http:Request request = new;
    # the bytes of the body
    byte[] bytes = [];
    # the attributes of a CloudEvent
    map<string> attributes = {};
};

# The context of a call: the same for all calls of a function.
public type Context record {
    string function_name = "";
    # seconds
    string time_out = "";
    string runtime = "";
    string memory_limit = "";
};

# The arguments of the handler.
public type Call record {|
    Event event;
    Context context;
|};
