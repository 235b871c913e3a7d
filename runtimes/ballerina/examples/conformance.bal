import ballerina/http;
import ballerina/io;
import ballerina/lang.runtime;
import ballerina/os;
import kubeless/kubeless;

// The handlers that the shared suites call. docs/conformance.md describes each.

const string TEXT = "čšž ελ 日本 🎉";

isolated int number = 0;

function init() {
    io:println("conformance loaded");
}

public isolated function echoes(kubeless:Event event, kubeless:Context context) returns byte[]|error {
    return event.extensions.bytes;
}

public isolated function types(kubeless:Event event, kubeless:Context context) returns json|error {
    return {
        id: event.event_id,
        'type: event.event_type,
        time: event.event_time,
        namespace: event.event_namespace,
        data: event.data,
        'source: event.extensions.attributes["source"]
    };
}

public isolated function context(kubeless:Event event, kubeless:Context context) returns json|error {
    return {
        "function-name": context.function_name,
        timeout: context.time_out,
        runtime: context.runtime,
        "memory-limit": context.memory_limit
    };
}

public isolated function request(kubeless:Event event, kubeless:Context context) returns json|error {
    http:Request asked = event.extensions.request;
    string path = asked.rawPath;
    int? mark = path.indexOf("?");
    return {
        method: asked.method,
        path: mark is int ? path.substring(0, mark) : path,
        query: asked.getQueryParamValue("x"),
        header: check asked.getHeader("X-Name")
    };
}

public isolated function headers(kubeless:Event event, kubeless:Context context) returns http:Response|error {
    http:Response response = new;
    response.statusCode = 201;
    response.setTextPayload("made", "text/plain");
    response.setHeader("X-Name", "Ada");
    response.addHeader("Set-Cookie", "a=1");
    response.addHeader("Set-Cookie", "b=2");
    return response;
}

public isolated function bytes(kubeless:Event event, kubeless:Context context) returns byte[]|error {
    byte[] all = [];
    foreach int value in 0 ..< 256 {
        all.push(<byte>value);
    }
    return all;
}

public isolated function big(kubeless:Event event, kubeless:Context context) returns byte[]|error {
    byte[] digits = "0123456789".toBytes();
    byte[] result = [];
    foreach int at in 0 ..< check int:fromString(event.data) {
        result.push(digits[at % 10]);
    }
    return result;
}

class Pieces {
    private final int count;
    private final int length;
    private final decimal pause;
    private final boolean breaks;
    private int at = 0;

    isolated function init(int count, int length, decimal pause, boolean breaks) {
        self.count = count;
        self.length = length;
        self.pause = pause;
        self.breaks = breaks;
    }

    public isolated function next() returns record {|byte[] value;|}|io:Error? {
        if self.at == self.count {
            return self.breaks ? error io:GenericError("broken off") : ();
        }
        if self.at > 0 {
            runtime:sleep(self.pause);
        }
        byte digit = "0123456789".toBytes()[self.at % 10];
        self.at += 1;
        byte[] value = [];
        foreach int _ in 0 ..< self.length {
            value.push(digit);
        }
        return {value};
    }
}

public function streams(kubeless:Event event, kubeless:Context context) returns stream<byte[], io:Error?>|error {
    string[] words = re `\s`.split(event.data);
    decimal pause = check decimal:fromString(words[2]) / 1000d;
    Pieces pieces = new (check int:fromString(words[0]), check int:fromString(words[1]), pause, words.length() > 3);
    return new stream<byte[], io:Error?>(pieces);
}

public isolated function raises(kubeless:Event event, kubeless:Context context) returns string|error {
    return error(event.data);
}

// Ballerina has no exit().
public isolated function exits(kubeless:Event event, kubeless:Context context) returns string|error {
    panic error("it cannot exit");
}

public isolated function recurses(kubeless:Event event, kubeless:Context context) returns string|error {
    return check recurses(event, context) + ".";
}

public isolated function nonsense(kubeless:Event event, kubeless:Context context) returns any|error {
    return event.extensions.request;
}

public isolated function sleeps(kubeless:Event event, kubeless:Context context) returns string|error {
    runtime:sleep(check decimal:fromString(event.data) / 1000d);
    return "slept";
}

public isolated function prints(kubeless:Event event, kubeless:Context context) returns string|error {
    io:println(event.data);
    io:fprintln(io:stderr, event.data);
    return "printed";
}

public isolated function unicode(kubeless:Event event, kubeless:Context context) returns string|error {
    io:println(TEXT);
    return event.data == "raise" ? error(TEXT) : TEXT;
}

public isolated function stdin(kubeless:Event event, kubeless:Context context) returns string|error {
    return io:readln();
}

// Ballerina does not know its process id; a shell does.
public isolated function spawns(kubeless:Event event, kubeless:Context context) returns string|error {
    return shell("sleep 30 >/dev/null 2>&1 & echo $!");
}

public isolated function counts(kubeless:Event event, kubeless:Context context) returns int|error {
    lock {
        number += 1;
        return number;
    }
}

public isolated function dies(kubeless:Event event, kubeless:Context context) returns string|error {
    return shell("kill -9 $PPID; sleep 1; echo it did not");
}

isolated function shell(string command) returns string|error {
    os:Process process = check os:exec({value: "sh", arguments: ["-c", command]});
    _ = check process.waitForExit();
    return (check string:fromBytes(check process.output(io:stdout))).trim();
}
