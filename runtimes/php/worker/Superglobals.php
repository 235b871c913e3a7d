<?php

namespace Kubeless\Worker;

/** Fills $_GET, $_POST, $_SERVER and the like for a call, and empties them after it. */
final class Superglobals
{
    /** @var array the part of $_SERVER that is the same in every call */
    private static $server = [];
    /** @var resource|false|null the stream behind php://input; null: not looked for yet */
    private static $input;
    /** @var bool */
    private static $hasInput = false;
    /** @var string[] uploaded files */
    private static $temporary = [];
    /** @var string the head of the running call, for getallheaders() */
    public static $head = '';

    public static function prepare(): void
    {
        $file = (string) getenv('KUBELESS_HANDLER_FILE');
        $name = '/' . basename($file);
        self::$server = ['SCRIPT_NAME' => $name, 'PHP_SELF' => $name, 'SCRIPT_FILENAME' => $file, 'DOCUMENT_ROOT' => \dirname($file)]
            + array_diff_key($_SERVER, ['argv' => 1, 'argc' => 1]);
    }

    /** @param array{0: array<string, mixed>, 1: string, 2: string} $call fields, head and body */
    public static function fill(array $call): void
    {
        list($fields, $head, $body) = $call;
        self::$head = $head;
        $headers = Headers::parse($head);
        $_SERVER = Headers::server($fields, $headers) + self::$server;
        $_GET = [];
        if (isset($fields['query'])) {
            parse_str($fields['query'], $_GET);
        }
        $_COOKIE = isset($headers['cookie']) ? Headers::cookies($headers) : [];
        if ($body !== '') {
            self::setBody($body, $headers, $fields['method']);
        }
        $_REQUEST = [];
        foreach (str_split(strtoupper(\ini_get('request_order') ?: 'GPC')) as $letter) {
            $_REQUEST = (['G' => $_GET, 'P' => $_POST, 'C' => $_COOKIE][$letter] ?? []) + $_REQUEST;
        }
    }

    private static function setBody(string $body, array $headers, string $method): void
    {
        self::setInput($body);
        if ($method !== 'POST') {
            return; // PHP reads forms of POST only
        }
        $type = Headers::mediaType($headers);
        if ($type === 'application/x-www-form-urlencoded') {
            parse_str($body, $_POST);
        } elseif ($type === 'multipart/form-data') {
            require_once __DIR__ . '/Multipart.php';
            $form = new Multipart($body, Headers::first($headers, 'content-type'));
            $_POST = Multipart::tree($form->fields);
            $_FILES = self::files($form->files);
        }
    }

    /** Empties what a call filled. */
    public static function clear(): void
    {
        $_GET = $_POST = $_COOKIE = $_FILES = $_REQUEST = [];
        $_SERVER = self::$server;
        self::$head = '';
        if (self::$hasInput) {
            self::setInput('');
        }
        foreach (self::$temporary as $file) {
            @unlink($file); // the function may have moved it
        }
        self::$temporary = [];
    }

    /** Returns $_FILES. A name such as `a[b]` gives `$_FILES['a']['name']['b']`, as in PHP. */
    private static function files(array $files): array
    {
        $pairs = [];
        foreach ($files as $file) {
            list($name, $fileName, $type, $bytes) = $file;
            $base = basename(strtr($fileName, '\\', '/'));
            $path = $fileName === '' ? '' : self::save($bytes);
            $error = $fileName === '' ? UPLOAD_ERR_NO_FILE : ($path === '' ? UPLOAD_ERR_CANT_WRITE : UPLOAD_ERR_OK);
            $about = ['name' => $base, 'full_path' => $fileName, 'type' => $type, 'tmp_name' => $path, 'error' => $error, 'size' => \strlen($bytes)];
            $bracket = strpos($name, '[');
            foreach ($about as $key => $value) {
                $pairs[] = [$bracket ? substr_replace($name, "[$key]", $bracket, 0) : "{$name}[$key]", $value];
            }
        }
        return Multipart::tree($pairs);
    }

    private static function save(string $bytes): string
    {
        $path = @tempnam(\ini_get('upload_tmp_dir') ?: sys_get_temp_dir(), 'php');
        if ($path === false) {
            return '';
        }
        self::$temporary[] = $path;
        return @file_put_contents($path, $bytes) === \strlen($bytes) ? $path : '';
    }

    /**
     * Makes $body the content of php://input. On a command line PHP reads php://input from a
     * temporary stream that it creates when php://input is opened first, and that stays empty.
     * That stream is writable, and the list of all resources has it.
     */
    private static function setInput(string $body): void
    {
        if (self::$input === null) {
            $before = get_resources('stream');
            $reader = fopen('php://input', 'r');
            self::$input = false;
            foreach (array_diff_key(get_resources('stream'), $before) as $stream) {
                $about = stream_get_meta_data($stream);
                if ($stream !== $reader && $about['stream_type'] === 'TEMP') {
                    self::$input = $stream;
                }
            }
        }
        if (self::$input) {
            ftruncate(self::$input, 0);
            rewind(self::$input);
            fwrite(self::$input, $body);
            self::$hasInput = $body !== '';
        }
    }
}
