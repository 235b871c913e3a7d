<?php

namespace Kubeless\Worker;

use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;

/** Makes PSR-7 requests and responses, with the function's own PSR-7 library or the worker's. */
final class Psr7
{
    /** Libraries whose constructors take the same arguments. */
    private const LIBRARIES = ['Nyholm\Psr7', 'GuzzleHttp\Psr7'];

    private const WAIT_MICROSECONDS = 50000;

    /** @var string */
    private static $library = '';

    public static function request(array $fields, string $head, string $body): ServerRequestInterface
    {
        self::load();
        $headers = Headers::parse($head);
        $query = $fields['query'] ?? '';
        $host = Headers::first($headers, 'host');
        $given = [];
        foreach ($headers as $header) {
            $given[$header[0]] = $header[1];
        }
        $server = Headers::server($fields, $headers);
        // With two slashes at the start, the path would be taken for a host.
        $path = '/' . ltrim($fields['path'], '/') . ($query === '' ? '' : "?$query");
        try {
            $request = new Request($fields['method'], 'http://' . ($host === '' ? 'localhost' : $host) . $path, $given, $body, '1.1', $server);
        } catch (\InvalidArgumentException $unfit) { // a Host header that no URI can have
            $request = new Request($fields['method'], $path, $given, $body, '1.1', $server);
        }
        parse_str($query, $asked);
        $request = $request->withQueryParams($asked);
        if (isset($headers['cookie'])) {
            $request = $request->withCookieParams(Headers::cookies($headers));
        }
        $type = Headers::mediaType($headers);
        if ($type === 'application/x-www-form-urlencoded') {
            parse_str($body, $form);
            return $request->withParsedBody($form);
        }
        if ($type === 'multipart/form-data') {
            return self::withForm($request, $body, Headers::first($headers, 'content-type'));
        }
        $json = ($fields['json'] ?? isset($fields['envelope'])) ? json_decode($body, true) : null;
        return \is_array($json) ? $request->withParsedBody($json) : $request;
    }

    private static function withForm(ServerRequestInterface $request, string $body, string $contentType): ServerRequestInterface
    {
        require_once __DIR__ . '/Multipart.php';
        $class = self::$library . '\UploadedFile';
        $form = new Multipart($body, $contentType);
        $files = [];
        foreach ($form->files as $file) {
            list($name, $fileName, $type, $bytes) = $file;
            $stream = (new Response(200, [], $bytes))->getBody();
            $stream->rewind();
            $error = $fileName === '' ? UPLOAD_ERR_NO_FILE : UPLOAD_ERR_OK;
            $files[] = [$name, new $class($stream, \strlen($bytes), $error, $fileName, $type)];
        }
        return $request->withParsedBody(Multipart::tree($form->fields))->withUploadedFiles(Multipart::tree($files));
    }

    public static function response(): ResponseInterface
    {
        self::load();
        return new Response();
    }

    private static function load(): void
    {
        if (self::$library === '') {
            self::$library = self::find();
            $isFinal = (new \ReflectionClass(self::$library . '\Response'))->isFinal(); // before nyholm/psr7 1.4
            $prefix = __NAMESPACE__ . ($isFinal ? '\\' : '\Base');
            class_alias(self::$library . '\ServerRequest', $prefix . 'Request');
            class_alias(self::$library . '\Response', $prefix . 'Response');
            if (!$isFinal) {
                require __DIR__ . '/Messages.php';
            }
        }
    }

    private static function find(): string
    {
        $libraries = (string) getenv('RUNTIME_LIBRARIES');
        // A local start does not wait until they are installed: the path exists when they are
        // complete.
        while ($libraries !== '' && !file_exists($libraries) && glob("$libraries.*") !== []) {
            clearstatcache();
            usleep(self::WAIT_MICROSECONDS);
        }
        // '' is what the function itself loaded. The last two are Debian's packages.
        foreach (['', $libraries . '/vendor/autoload.php', 'Nyholm/Psr7/autoload.php', 'GuzzleHttp/Psr7/autoload.php'] as $autoload) {
            $file = $autoload === '' ? false : stream_resolve_include_path($autoload);
            if ($file !== false) {
                require_once $file;
            }
            foreach (self::LIBRARIES as $library) {
                if (class_exists("$library\\ServerRequest") && class_exists("$library\\Response")) {
                    return $library;
                }
            }
        }
        throw new \RuntimeException('$event->extensions->request and ->response need a PSR-7 library, and none is installed: add nyholm/psr7 to composer.json');
    }
}
