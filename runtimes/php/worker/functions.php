<?php

// Global functions that PHP has under a web server and lacks on a command line.

if (!function_exists('getallheaders')) {
    function getallheaders(): array
    {
        $all = [];
        foreach (Kubeless\Worker\Headers::parse(Kubeless\Worker\Superglobals::$head) as $header) {
            $all[$header[0]] = implode(', ', $header[1]);
        }
        return $all;
    }
}

if (!function_exists('apache_request_headers')) {
    function apache_request_headers(): array
    {
        return getallheaders();
    }
}
