<?php

namespace Kubeless\Worker;

use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\StreamInterface;

/** An answer that goes in pieces. */
final class Stream
{
    /** @var iterable<mixed> */
    public iterable $pieces;
    public int $status;
    public string $head;

    public function __construct(iterable $pieces, int $status, string $head)
    {
        $this->pieces = $pieces;
        $this->status = $status;
        $this->head = $head;
    }
}

/** What a handler returns, as frames (PROTOCOL.md, chapter 4). */
final class Result
{
    private const WHOLE = 256 * 1024; // bytes: more than that goes in pieces (PROTOCOL 5.2)
    private const PIECE = 64 * 1024; // bytes
    private const TEXT = "Content-Type: text/html; charset=UTF-8\r\n"; // what PHP says of its output
    private const BYTES = "Content-Type: application/octet-stream\r\n";
    private const JSON = "Content-Type: application/json\r\n";
    private const TO_JSON = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION;

    /** @return string|Stream a frame, or what there is more to do with */
    public static function answer(int $call, $value, Extensions $extensions)
    {
        if ($value instanceof ResponseInterface) {
            return self::respond($call, $value, '', null);
        }
        [$type, $body] = self::content($value);
        $response = $extensions->answered();
        if ($response !== null) {
            return self::respond($call, $response, $type, $body);
        }
        return is_string($body) ? self::whole($call, 200, $type, $body) : new Stream($body, 200, $type);
    }

    /** @return array{0: string, 1: string|iterable} the line that says its type, and its bytes, at once or in pieces */
    private static function content($value): array
    {
        if (is_string($value)) {
            return [self::TEXT, $value];
        }
        if ($value === null) {
            return [self::TEXT, ''];
        }
        if (is_object($value) && !$value instanceof \JsonSerializable) {
            if ($value instanceof \Traversable) {
                return [self::TEXT, $value];
            }
            if ($value instanceof StreamInterface) {
                return [self::BYTES, self::readStream($value)];
            }
            if (method_exists($value, '__toString')) {
                return [self::TEXT, (string) $value];
            }
            if ($value instanceof \Closure) {
                throw self::invalid('a function');
            }
        }
        if (is_resource($value)) {
            if (get_resource_type($value) !== 'stream') {
                throw self::invalid('a resource that is no stream');
            }
            return [self::BYTES, self::readResource($value)];
        }
        $json = json_encode($value, self::TO_JSON);
        if ($json === false) {
            throw self::invalid(Failure::kindOf($value) . ' that has no JSON form (' . json_last_error_msg() . ')');
        }
        return [self::JSON, $json];
    }

    /** @param string|iterable|null $more what the handler returned, which follows what it wrote into the response */
    private static function respond(int $call, ResponseInterface $response, string $type, $more)
    {
        $status = $response->getStatusCode();
        if ($status < 200 || $status > 999) {
            throw new CallError('RESULT_INVALID', "the handler's response has the status $status: 200 to 999 can be sent");
        }
        $body = $response->getBody();
        if ($body->isSeekable()) {
            $body->rewind();
        }
        $size = $body->getSize();
        $read = $size !== null && $size <= self::WHOLE ? $body->getContents() : self::readStream($body);
        $isWhole = is_string($read) && ($more === null || is_string($more));
        $head = '';
        foreach ($response->getHeaders() as $name => $values) {
            if ($isWhole && strcasecmp((string) $name, 'Content-Length') === 0) {
                continue; // the bytes are counted
            }
            foreach ($values as $value) {
                $head .= self::header((string) $name, $value);
            }
        }
        if (!$response->hasHeader('Content-Type')) {
            $head .= $type === '' || $more === '' ? self::TEXT : $type;
        }
        if ($isWhole) {
            return self::whole($call, $status, $head, $read . $more);
        }
        if (is_string($read) ? $read === '' : $more === '' || $more === null) {
            return new Stream(is_string($read) ? $more : $read, $status, $head);
        }
        return new Stream(self::both($read, $more), $status, $head);
    }

    private static function both($first, $second): \Generator
    {
        foreach ([$first, $second] as $part) {
            foreach (is_string($part) ? [$part] : $part as $piece) {
                yield $piece;
            }
        }
    }

    private static function header(string $name, string $value): string
    {
        if ($name === '' || strpbrk($name . $value, "\r\n") !== false || strpos($name . $value, "\0") !== false) {
            throw new CallError('RESULT_INVALID', 'the handler set a header that cannot be sent: ' . json_encode(substr("$name: $value", 0, 100), JSON_INVALID_UTF8_SUBSTITUTE));
        }
        return "$name: $value\r\n";
    }

    private static function whole(int $call, int $status, string $head, string $body)
    {
        $length = strlen($body);
        if ($length > self::WHOLE) {
            return new Stream([$body], $status, $head . "Content-Length: $length\r\n");
        }
        $line = '{"type":"result","id":' . $call . ($status === 200 ? '' : ',"status":' . $status);
        return $line . ',"head":' . strlen($head) . ',"body":' . $length . "}\n" . $head . $body;
    }

    private static function readResource($stream): \Generator
    {
        try {
            while (!feof($stream)) {
                $data = fread($stream, self::PIECE);
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
                yield $stream->read(self::PIECE);
            }
        } finally {
            $stream->close();
        }
    }

    /** One item of an iterator, as bytes. */
    public static function piece($item): string
    {
        if (is_string($item)) {
            return $item;
        }
        if (is_int($item) || is_float($item) || (is_object($item) && method_exists($item, '__toString'))) {
            return (string) $item;
        }
        throw new CallError('RESULT_INVALID', 'the handler streamed ' . Failure::kindOf($item) . ': what is yielded must be text');
    }

    /** @return iterable<string> of at most 64 KiB; none of nothing: an empty chunk says nothing */
    public static function parts(string $data): iterable
    {
        $length = strlen($data);
        return $length === 0 ? [] : ($length <= self::PIECE ? [$data] : self::cut($data, $length));
    }

    /** One after the other: all at once would hold the data twice. */
    private static function cut(string $data, int $length): \Generator
    {
        for ($at = 0; $at < $length; $at += self::PIECE) {
            yield substr($data, $at, self::PIECE);
        }
    }

    private static function invalid(string $what): CallError
    {
        return new CallError('RESULT_INVALID', "the handler returned $what, which cannot be sent: return text, an array, an object, a number, a generator, a stream, a PSR-7 response, or nothing");
    }
}
