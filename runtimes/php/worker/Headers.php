<?php

namespace Kubeless\Worker;

/** Reads the request's head: header lines and cookies. */
final class Headers
{
    /** @return array<string, array{0: string, 1: string[]}> lower-case name => name and values */
    public static function parse(string $head): array
    {
        $headers = [];
        foreach (explode("\r\n", $head) as $line) {
            $colon = strpos($line, ':');
            if ($colon === false || $colon === 0) {
                continue;
            }
            $name = substr($line, 0, $colon);
            $key = strtolower($name);
            if (!isset($headers[$key])) {
                $headers[$key] = [$name, []];
            }
            $headers[$key][1][] = trim(substr($line, $colon + 1), " \t");
        }
        return $headers;
    }

    /** Returns the first value of a header, or ''. */
    public static function first(array $headers, string $key): string
    {
        return $headers[$key][1][0] ?? '';
    }

    /** Returns `multipart/form-data` of `Multipart/Form-Data; boundary=x`. */
    public static function mediaType(array $headers): string
    {
        return strtolower(trim(explode(';', self::first($headers, 'content-type'))[0]));
    }

    /** @return array<string, string> */
    public static function cookies(array $headers): array
    {
        $cookies = [];
        foreach (explode(';', implode(';', $headers['cookie'][1] ?? [])) as $pair) {
            $parts = explode('=', trim($pair, " \t"), 2);
            if (\count($parts) === 2 && !isset($cookies[$parts[0]])) {
                $cookies[$parts[0]] = rawurldecode($parts[1]);
            }
        }
        return $cookies;
    }

    /** Returns what PHP's web servers put into $_SERVER for a request. */
    public static function server(array $fields, array $headers): array
    {
        $query = $fields['query'] ?? '';
        $now = microtime(true);
        $host = self::first($headers, 'host');
        $port = preg_match('/:(\d+)$/', $host, $found) ? $found[1] : '80';
        $server = [
            'GATEWAY_INTERFACE' => 'CGI/1.1',
            'SERVER_PROTOCOL' => 'HTTP/1.1',
            'SERVER_SOFTWARE' => 'kubeless',
            'SERVER_NAME' => $host === '' ? 'localhost' : preg_replace('/:\d*$/', '', $host),
            'SERVER_PORT' => $port,
            'REQUEST_SCHEME' => 'http',
            'REQUEST_METHOD' => $fields['method'],
            'REQUEST_URI' => $fields['path'] . ($query === '' ? '' : "?$query"),
            'QUERY_STRING' => $query,
            'REQUEST_TIME' => (int) $now,
            'REQUEST_TIME_FLOAT' => $now,
        ];
        if (isset($fields['address'])) {
            $server['REMOTE_ADDR'] = $fields['address'];
        }
        foreach ($headers as $name => $header) {
            $name = (string) $name; // PHP turns an array key of digits into an int
            // X_A would pass for X-A, and Proxy for the variable HTTP_PROXY (CVE-2016-5385).
            if (strpos($name, '_') !== false || $name === 'proxy') {
                continue;
            }
            $key = strtoupper(strtr($name, '-', '_'));
            if ($name !== 'content-type' && $name !== 'content-length') {
                $key = "HTTP_$key";
            }
            $server[$key] = implode($name === 'cookie' ? '; ' : ', ', $header[1]);
        }
        if (preg_match('/^basic\s+(\S+)/i', $server['HTTP_AUTHORIZATION'] ?? '', $found)) {
            $login = explode(':', (string) base64_decode($found[1]), 2);
            if (\count($login) === 2) {
                $server['PHP_AUTH_USER'] = $login[0];
                $server['PHP_AUTH_PW'] = $login[1];
            }
        }
        return $server;
    }
}
