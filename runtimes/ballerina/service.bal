// Made for the function by package.sh; PACKAGE, HANDLER and ISOLATED are replaced there.
import ballerina/http;
import PACKAGE.kubeless;

// No limit of its own: the loader has those.
listener http:Listener kubelessListener = new (kubeless:port, host = "127.0.0.1", httpVersion = "1.1", timeout = 0,
    requestLimits = {maxUriLength: 65536, maxHeaderSize: 65536});

ISOLATED service / on kubelessListener {
    // These names must be none of the function's own.
    ISOLATED resource function 'default [string... kubelessPath](http:Request kubelessRequest) returns http:Response {
        kubeless:Call|http:Response kubelessCall = kubeless:read(kubelessRequest);
        if kubelessCall is http:Response {
            return kubelessCall;
        }
        return kubeless:answer(trap HANDLER(kubelessCall.event, kubelessCall.context));
    }
}
