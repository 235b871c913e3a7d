// A template: older/balx.sh replaces HANDLER, and removes this line.
import ballerina/http;
import func;
import kubeless;

// The loader enforces the time limit.
endpoint http:Listener kubelessListener {
    timeoutMillis: 0,
    host: "127.0.0.1",
    port: kubeless:port()
};

@http:ServiceConfig {
    basePath: "/"
}
service<http:Service> kubelessService bind kubelessListener {
    @http:ResourceConfig {
        path: "/"
    }
    root(endpoint caller, http:Request request) {
        http:Response response = untaint responseTo(request);
        _ = caller->respond(response);
    }

    @http:ResourceConfig {
        path: "/*"
    }
    below(endpoint caller, http:Request request) {
        http:Response response = untaint responseTo(request);
        _ = caller->respond(response);
    }
}

function responseTo(http:Request request) returns http:Response {
    http:Response response = new;
    try {
        string|http:Response|error result = func:HANDLER(kubeless:eventOf(request), kubeless:contextOf());
        match result {
            string text => {
                response = kubeless:answer(text);
            }
            http:Response own => {
                response = own;
            }
            error problem => {
                response = kubeless:failed(problem);
            }
        }
    } catch (error problem) {
        response = kubeless:failed(problem);
    }
    return response;
}
