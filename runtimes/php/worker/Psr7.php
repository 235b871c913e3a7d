<?php

namespace Kubeless\Worker;

use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;

/** Requests and responses of PSR-7, by the library the function brings or else the worker's own. */
final class Psr7
{
    /** Libraries whose constructors take the same. */
    private const LIBRARIES = ['Nyholm\Psr7', 'GuzzleHttp\Psr7'];

    private static string $library = '';

    public static function request(array $fields, string $head, string $body): ServerRequestInterface
    {
        $headers = self::headers($head);
        $query = $fields['query'] ?? '';
        $host = $headers['host'][1][0] ?? 'localhost';
        $method = $fields['method'];
        $given = [];
        foreach ($headers as [$name, $values]) {
            $given[$name] = $values;
        }
        $class = self::library() . '\ServerRequest';
        // A path that begins with two slashes would pass for a host.
        $uri = "http://$host/" . ltrim($fields['path'], '/') . ($query === '' ? '' : "?$query");
        try {
            $request = new $class($method, $uri, $given, $body, '1.1', self::server($fields, $headers));
        } catch (\InvalidArgumentException $unfit) { // a Host header may hold anything
            $uri = strstr(substr($uri, strlen('http://')), '/');
            $request = new $class($method, $uri, $given, $body, '1.1', self::server($fields, $headers));
        }
        parse_str($query, $asked);
        $request = $request->withQueryParams($asked);
        if (isset($headers['cookie'])) {
            $request = $request->withCookieParams(self::cookies(implode('; ', $headers['cookie'][1])));
        }
        $type = strtolower(trim(explode(';', $headers['content-type'][1][0] ?? '')[0]));
        if ($type === 'application/x-www-form-urlencoded') {
            parse_str($body, $form);
            return $request->withParsedBody($form);
        }
        $json = ($fields['json'] ?? false) ? json_decode($body, true) : null;
        return is_array($json) ? $request->withParsedBody($json) : $request;
    }

    public static function response(): ResponseInterface
    {
        $class = self::library() . '\Response';
        return new $class();
    }

    private static function library(): string
    {
        if (self::$library !== '') {
            return self::$library;
        }
        foreach (['', getenv('RUNTIME_LIBRARIES') . '/vendor/autoload.php', 'Nyholm/Psr7/autoload.php', 'GuzzleHttp/Psr7/autoload.php'] as $autoload) {
            // The first one is what the function itself has; the last two are how Debian packages them.
            $file = $autoload === '' ? false : stream_resolve_include_path($autoload);
            if ($file !== false) {
                require_once $file;
            }
            foreach (self::LIBRARIES as $library) {
                if (class_exists("$library\\ServerRequest") && class_exists("$library\\Response")) {
                    return self::$library = $library;
                }
            }
        }
        throw new \RuntimeException('$event->extensions->request and ->response are PSR-7 messages, and there is no library for them: add nyholm/psr7 to composer.json');
    }

    /** @return array<string, array{0: string, 1: string[]}> by the name in small letters: the name and its values */
    private static function headers(string $head): array
    {
        $headers = [];
        foreach (explode("\r\n", $head) as $line) {
            $colon = strpos($line, ':');
            if ($colon === false || $colon === 0) {
                continue;
            }
            $name = substr($line, 0, $colon);
            $key = strtolower($name);
            $headers[$key] = $headers[$key] ?? [$name, []];
            $headers[$key][1][] = trim(substr($line, $colon + 1), " \t");
        }
        return $headers;
    }

    /** What PHP's own servers give in $_SERVER. */
    private static function server(array $fields, array $headers): array
    {
        $query = $fields['query'] ?? '';
        $server = [
            'REQUEST_METHOD' => $fields['method'],
            'REQUEST_URI' => $fields['path'] . ($query === '' ? '' : "?$query"),
            'QUERY_STRING' => $query,
            'SERVER_PROTOCOL' => 'HTTP/1.1',
            'REQUEST_TIME' => time(),
            'REQUEST_TIME_FLOAT' => microtime(true),
        ];
        foreach ($headers as $name => [, $values]) {
            $name = (string) $name; // PHP makes a number of a name of digits
            if (strpos($name, '_') === false) { // X_A would pass for X-A
                $key = strtoupper(strtr($name, '-', '_'));
                $server[$key === 'CONTENT_TYPE' || $key === 'CONTENT_LENGTH' ? $key : "HTTP_$key"] = implode($name === 'cookie' ? '; ' : ', ', $values);
            }
        }
        return $server;
    }

    private static function cookies(string $header): array
    {
        $cookies = [];
        foreach (explode(';', $header) as $pair) {
            $parts = explode('=', trim($pair, " \t"), 2);
            if (count($parts) === 2 && !isset($cookies[$parts[0]])) {
                $cookies[$parts[0]] = rawurldecode($parts[1]);
            }
        }
        return $cookies;
    }
}
