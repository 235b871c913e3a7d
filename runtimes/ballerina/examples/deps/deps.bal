import deps.words;
import kubeless/kubeless;

configurable string greeting = "hello";

public isolated function deps(kubeless:Event event, kubeless:Context context) returns string|error {
    return words:sentence(greeting, event.data);
}
