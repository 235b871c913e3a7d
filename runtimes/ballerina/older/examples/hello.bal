import kubeless/kubeless;

public function hello(kubeless:Event event, kubeless:Context context) returns (string|error) {
    return "hello world";
}
