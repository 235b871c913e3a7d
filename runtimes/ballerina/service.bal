// A template: package.sh replaces PACKAGE, HANDLER and ISOLATED, and removes this line.
import ballerina/http;
import PACKAGE.kubeless;

// The loader enforces the limits.
listener http:Listener kubelessListener = new (kubeless:port, host = "127.0.0.1", httpVersion = "1.1", timeout = 0,
    requestLimits = {maxUriLength: 65536, maxHeaderSize: 65536});

ISOLATED service / on kubelessListener {
    // The names begin with kubeless, so that they do not clash with the function's.
    ISOLATED resource function 'default [string... kubelessPath](http:Request kubelessRequest) returns http:Response {
        kubeless:Call|http:Response kubelessCall = kubeless:read(kubelessRequest);
        if kubelessCall is http:Response {
            return kubelessCall;
        }
        return kubeless:answer(trap HANDLER(kubelessCall.event, kubelessCall.context));
    }
}
