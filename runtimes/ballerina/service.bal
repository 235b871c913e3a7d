// Made for the function by package.sh; PACKAGE, HANDLER and ISOLATED are replaced there.
import ballerina/http;
import PACKAGE.kubeless;

// No limit of its own: the loader has those.
listener http:Listener kubelessListener = new (kubeless:port, host = "127.0.0.1", httpVersion = "1.1", timeout = 0,
    requestLimits = {maxUriLength: 65536, maxHeaderSize: 65536});

ISOLATED service / on kubelessListener {
    ISOLATED resource function 'default [string... path](http:Request request) returns http:Response {
        kubeless:Call|http:Response call = kubeless:read(request);
        if call is http:Response {
            return call;
        }
        return kubeless:answer(trap HANDLER(call.event, call.context));
    }
}
