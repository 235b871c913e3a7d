import kubeless/kubeless;

# A file that cannot be loaded: its line 17, which is the same in every language, is not Ballerina.
#
# What is said about it must name this file and that line.
public isolated function echoes(kubeless:Event event, kubeless:Context context) returns string|error {
    return event.data;
}

public isolated function raises(kubeless:Event event, kubeless:Context context) returns string|error {
    return error(event.data);
}




this line is not Ballerina
