public isolated function sentence(string greeting, string name) returns string {
    return greeting + ", " + (name == "" ? "stranger" : name) + "!";
}
