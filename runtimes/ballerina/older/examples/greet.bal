import ballerina/config;
import kubeless/kubeless;

// kubeless.toml beside the function has the greeting.
public function greet(kubeless:Event event, kubeless:Context context) returns (string|error) {
    if (event.data == "") {
        error problem = { message: "a name is missing" };
        return problem;
    }
    return config:getAsString("greeting") + " " + event.data;
}
