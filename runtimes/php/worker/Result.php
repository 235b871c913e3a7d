<?php

namespace Kubeless\Worker;

use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\StreamInterface;

/** A result that is sent in pieces. */
final class Stream
{
    /** @var iterable<mixed> */
    public $pieces;
    /** @var int */
    public $status;
    /** @var string header lines */
    public $head;
    /** @var bool the first piece decides the Content-Type */
    public $isUntyped;

    public function __construct(iterable $pieces, int $status, string $head, bool $isUntyped = false)
    {
        $this->pieces = $pieces;
        $this->status = $status;
        $this->head = $head;
        $this->isUntyped = $isUntyped;
    }
}

/** Turns what a handler returned into frames (PROTOCOL.md, chapter 4). */
final class Result
{
    private const MAX_WHOLE_BYTES = 256 * 1024; // a longer body is sent in pieces (PROTOCOL 5.2)
    private const PIECE_BYTES = 64 * 1024;
    /** PROTOCOL 2.3; the rest is for Content-Type and Content-Length. */
    private const MAX_HEAD_BYTES = (1 << 20) - 128;
    private const BYTES = "Content-Type: application/octet-stream\r\n";
    private const JSON = "Content-Type: application/json\r\n";
    private const TO_JSON = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION;
    /** The type of text is not decided yet: respond() and whole() look at its bytes. */
    private const UNTYPED = '';

    // Kubeless's proxy in front of PHP chose the type by the first bytes (Go's
    // http.DetectContentType).
    private const SNIFFED_BYTES = 512;
    private const MARKUP = '/^\s*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[\s>]/i';
    private const MAGIC = [
        '%PDF-' => 'application/pdf',
        "\x89PNG\r\n\x1a\n" => 'image/png',
        'GIF87a' => 'image/gif',
        'GIF89a' => 'image/gif',
        "\xff\xd8\xff" => 'image/jpeg',
        "PK\x03\x04" => 'application/zip',
        "\x1f\x8b\x08" => 'application/x-gzip',
    ];

    /**
     * @return string|Stream a whole frame, or a stream
     * @throws CallError if the value cannot be sent
     */
    public static function answer(int $call, $value, Extensions $extensions)
    {
        if ($value instanceof ResponseInterface) {
            return self::respond($call, $value, self::UNTYPED, null);
        }
        list($type, $body) = self::content($value);
        $response = $extensions->answered();
        if ($response !== null) {
            return self::respond($call, $response, $type, $body);
        }
        return \is_string($body) ? self::whole($call, 200, $type, $body) : new Stream($body, 200, $type, $type === self::UNTYPED);
    }

    /**
     * @return array{0: string, 1: string|iterable} the Content-Type line, and the body, whole or in
     * pieces
     */
    private static function content($value): array
    {
        if (\is_string($value)) {
            return [self::UNTYPED, $value];
        }
        if ($value === null) {
            return [self::UNTYPED, ''];
        }
        if (\is_object($value) && !$value instanceof \JsonSerializable) {
            if ($value instanceof \Traversable) {
                return [self::UNTYPED, $value];
            }
            if ($value instanceof StreamInterface) {
                return [self::BYTES, self::readStream($value)];
            }
            if (method_exists($value, '__toString')) {
                return [self::UNTYPED, (string) $value];
            }
            if ($value instanceof \Closure) {
                throw self::invalid('a function');
            }
        }
        if (\is_resource($value)) {
            if (get_resource_type($value) !== 'stream') {
                throw self::invalid('a resource that is not a stream');
            }
            return [self::BYTES, self::readResource($value)];
        }
        $json = json_encode($value, self::TO_JSON);
        if ($json === false) {
            throw self::invalid(Errors::kindOf($value) . ' that has no JSON form (' . json_last_error_msg() . ')');
        }
        return [self::JSON, $json];
    }

    /**
     * @param string|iterable|null $more what the handler returned; it follows the response's own
     * body
     */
    private static function respond(int $call, ResponseInterface $response, string $type, $more)
    {
        $status = $response->getStatusCode();
        if ($status < 200 || $status > 999) {
            throw new CallError('RESULT_INVALID', "the handler's response has the status $status: use 200 to 999");
        }
        $body = $response->getBody();
        if ($body->isSeekable()) {
            $body->rewind();
        }
        $size = $body->getSize();
        $read = $size !== null && $size <= self::MAX_WHOLE_BYTES ? $body->getContents() : self::readStream($body);
        $isWhole = \is_string($read) && ($more === null || \is_string($more));
        $head = '';
        foreach ($response->getHeaders() as $name => $values) {
            if ($isWhole && strcasecmp((string) $name, 'Content-Length') === 0) {
                continue; // the loader counts the bytes
            }
            foreach ($values as $value) {
                $head .= self::header((string) $name, $value);
            }
        }
        if (\strlen($head) > self::MAX_HEAD_BYTES) {
            throw new CallError('RESULT_INVALID', 'the handler set ' . \strlen($head) . ' bytes of headers: the limit is ' . self::MAX_HEAD_BYTES);
        }
        $hasType = $response->hasHeader('Content-Type');
        if (!$hasType && $type !== self::UNTYPED && $more !== '') {
            $head .= $type;
            $hasType = true;
        }
        if ($isWhole) {
            return self::whole($call, $status, $head . ($hasType ? '' : self::sniff($read . $more)), $read . $more);
        }
        if (\is_string($read) ? $read === '' : $more === '' || $more === null) {
            return new Stream(\is_string($read) ? $more : $read, $status, $head, !$hasType);
        }
        return new Stream(self::both($read, $more), $status, $head, !$hasType);
    }

    /** Returns the Content-Type line that fits the first bytes. */
    public static function sniff(string $body): string
    {
        $start = substr($body, 0, self::SNIFFED_BYTES);
        if (preg_match(self::MARKUP, $start) === 1) {
            return "Content-Type: text/html; charset=utf-8\r\n";
        }
        if (preg_match('/[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\xff]|^%PDF-|^GIF8/', $start) !== 1) {
            $isXml = strncmp(ltrim($start), '<?xml', 5) === 0;
            return $isXml ? "Content-Type: text/xml; charset=utf-8\r\n" : "Content-Type: text/plain; charset=utf-8\r\n";
        }
        foreach (self::MAGIC as $magic => $type) {
            if (strncmp($start, $magic, \strlen($magic)) === 0) {
                return "Content-Type: $type\r\n";
            }
        }
        return self::BYTES;
    }

    private static function both($first, $second): \Generator
    {
        foreach ([$first, $second] as $part) {
            foreach (\is_string($part) ? [$part] : $part as $piece) {
                yield $piece;
            }
        }
    }

    private static function header(string $name, string $value): string
    {
        if ($name === '' || strpbrk($name . $value, "\r\n") !== false || strpos($name . $value, "\0") !== false) {
            $shown = json_encode(substr("$name: $value", 0, 100), JSON_INVALID_UTF8_SUBSTITUTE);
            throw new CallError('RESULT_INVALID', "the handler set a header that cannot be sent: $shown");
        }
        return "$name: $value\r\n";
    }

    /** @return string|Stream */
    private static function whole(int $call, int $status, string $head, string $body)
    {
        if ($head === self::UNTYPED) {
            $head = self::sniff($body);
        }
        $length = \strlen($body);
        if ($length > self::MAX_WHOLE_BYTES) {
            return new Stream([$body], $status, $head . "Content-Length: $length\r\n");
        }
        $line = '{"type":"result","id":' . $call . ($status === 200 ? '' : ',"status":' . $status);
        return $line . ',"head":' . \strlen($head) . ',"body":' . $length . "}\n" . $head . $body;
    }

    private static function readResource($stream): \Generator
    {
        try {
            while (!feof($stream)) {
                $data = fread($stream, self::PIECE_BYTES);
                if ($data === false) {
                    throw new \RuntimeException('the stream that the handler returned cannot be read: ' . (error_get_last()['message'] ?? ''));
                }
                yield $data;
            }
        } finally {
            fclose($stream);
        }
    }

    private static function readStream(StreamInterface $stream): \Generator
    {
        try {
            while (!$stream->eof()) {
                yield $stream->read(self::PIECE_BYTES);
            }
        } finally {
            $stream->close();
        }
    }

    /** Returns an item of an iterator as bytes. */
    public static function piece($item): string
    {
        if (\is_string($item)) {
            return $item;
        }
        if (\is_int($item) || \is_float($item) || (\is_object($item) && method_exists($item, '__toString'))) {
            return (string) $item;
        }
        throw new CallError('RESULT_INVALID', 'the handler streamed ' . Errors::kindOf($item) . ': yield strings');
    }

    /** @return iterable<string> pieces of at most 64 KiB; no piece if $data is empty */
    public static function parts(string $data): iterable
    {
        $length = \strlen($data);
        return $length === 0 ? [] : ($length <= self::PIECE_BYTES ? [$data] : self::cut($data, $length));
    }

    /** A generator, because an array of all pieces would hold the data twice. */
    private static function cut(string $data, int $length): \Generator
    {
        for ($at = 0; $at < $length; $at += self::PIECE_BYTES) {
            yield substr($data, $at, self::PIECE_BYTES);
        }
    }

    private static function invalid(string $what): CallError
    {
        $valid = 'text, an array, an object, a number, a generator, a stream, a PSR-7 response, or nothing';
        return new CallError('RESULT_INVALID', "the handler returned $what, which cannot be sent: return $valid");
    }
}
