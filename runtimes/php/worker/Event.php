<?php

namespace Kubeless\Worker;

use Psr\Http\Message\ResponseInterface;

/** Makes the event of a `call` frame. */
final class Event
{
    private const REPLACEMENT = '\ufffd';
    /** Matches the escape of half a surrogate pair. All other escapes are matched and skipped. */
    private const LONE_SURROGATE = '/\\\\(?:(?:'
        . 'u[dD][89abAB][\da-fA-F]{2}\\\\u[dD][c-fC-F][\da-fA-F]{2}' // a whole pair
        . '|[^u]|u(?![dD][89a-fA-F])|$)(*SKIP)(*FAIL)'
        . '|u[dD][89a-fA-F][\da-fA-F]{2})/';

    /** @param array<string, mixed> $fields of the frame's line */
    public static function of(array $fields, string $data, Extensions $extensions): \stdClass
    {
        return (object) [
            'data' => isset($fields['json']) && $fields['json'] ? self::parse($data) : $data,
            'event-id' => $fields['event-id'] ?? null,
            'event-type' => $fields['event-type'] ?? null,
            'event-time' => $fields['event-time'] ?? null,
            'event-namespace' => $fields['event-namespace'] ?? null,
            'extensions' => $extensions,
        ];
    }

    private static function parse(string $body)
    {
        if ($body === '') {
            return null; // cron jobs send the JSON type without a body
        }
        $text = strncmp($body, "\xef\xbb\xbf", 3) === 0 ? substr($body, 3) : $body; // byte order mark
        $data = json_decode($text);
        if ($data === null && json_last_error() === JSON_ERROR_UTF16) {
            $data = json_decode((string) preg_replace(self::LONE_SURROGATE, self::REPLACEMENT, $text));
        }
        if ($data === null && json_last_error() !== JSON_ERROR_NONE) {
            throw new CallError('BODY_MALFORMED', 'the body is not JSON: ' . json_last_error_msg());
        }
        return $data;
    }
}

/** `$event->extensions`. Its request and response are made at their first use. */
final class Extensions extends \stdClass
{
    // The names of CloudEvents attributes have no capital letters, so these two cannot clash.
    /** @var array */
    private $wholeCall;
    /** @var bool */
    private $isAnswered = false;

    /** @param array{0: array<string, mixed>, 1: string, 2: string} $call fields, head and body */
    public function __construct(array $call)
    {
        $this->wholeCall = $call;
        foreach ($call[0]['extensions'] ?? [] as $name => $value) {
            if ($name !== '' && !isset($this->$name)) {
                $this->$name = $value;
            }
        }
    }

    public function __get(string $name)
    {
        if ($name === 'request' || $name === 'response') {
            require_once __DIR__ . '/Psr7.php'; // compiled only if a function uses it
        }
        if ($name === 'request') {
            return $this->request = Psr7::request(...$this->wholeCall);
        }
        if ($name === 'response') {
            $this->isAnswered = true;
            return $this->response = Psr7::response();
        }
        trigger_error("Undefined property: extensions->$name", E_USER_WARNING);
        return null;
    }

    public function __set(string $name, $value): void
    {
        $this->isAnswered = $this->isAnswered || $name === 'response';
        $this->$name = $value;
    }

    public function __isset(string $name): bool
    {
        return $name === 'request' || $name === 'response';
    }

    /** Hides the two private properties from var_dump(). */
    public function __debugInfo(): array
    {
        $shown = get_object_vars($this);
        unset($shown['wholeCall'], $shown['isAnswered']);
        return $shown;
    }

    /** Returns the response if the function read or set it, else null. */
    public function answered(): ?ResponseInterface
    {
        if (!$this->isAnswered || !isset($this->response)) {
            return null;
        }
        if ($this->response instanceof ResponseInterface) {
            return $this->response;
        }
        $what = Errors::kindOf($this->response);
        throw new CallError('RESULT_INVALID', "the handler set \$event->extensions->response to $what: set it to a PSR-7 response");
    }
}
