import ballerina/http;

# What a function is called for.
public type Event record {
    # the body as text; "" where there is none, or none in UTF-8
    string data = "";
    # "" where the caller gave none, as are the next three
    string event_id = "";
    string event_type = "";
    string event_time = "";
    string event_namespace = "";
    Extensions extensions = {};
};

# What Kubeless did not know of.
public type Extensions record {
    # the request as it came
    http:Request request = new;
    # the body as it came
    byte[] bytes = [];
    # those of a CloudEvent
    map<string> attributes = {};
};

# What is the same for all calls of a function.
public type Context record {
    string function_name = "";
    # seconds
    string time_out = "";
    string runtime = "";
    string memory_limit = "";
};

# What a function is called with.
public type Call record {|
    Event event;
    Context context;
|};
