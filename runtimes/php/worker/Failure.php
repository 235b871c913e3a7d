<?php

namespace Kubeless\Worker;

/** A call that ends in an error of ours, not of the function's: the code says which, a sentence says why. */
class CallError extends \Exception
{
    public string $reason;

    public function __construct(string $reason, string $message)
    {
        parent::__construct($message);
        $this->reason = $reason;
    }
}

/** Why the function cannot be called, as `failed` says it. */
final class LoadFailure extends \Exception
{
    /** @var array<string, mixed> */
    public array $fields;

    public function __construct(string $code, string $message, array $more = [])
    {
        parent::__construct($message);
        $this->fields = ['type' => 'failed', 'code' => $code, 'message' => $message] + $more;
    }
}

/** What went wrong, as `error` and `failed` frames carry it: bounded, and without the worker's own part of a trace. */
final class Failure
{
    private const MESSAGE_MAX = 4096; // bytes
    private const STACK_MAX = 16384; // bytes
    private const FATAL = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;

    public static function frame(int $call, \Throwable $error): string
    {
        $fields = ['type' => 'error', 'id' => $call, 'message' => self::message($error)];
        if ($error instanceof CallError) {
            $fields['code'] = $error->reason;
        } else {
            $fields['stack'] = self::stack($error);
        }
        return self::line($fields);
    }

    public static function line(array $fields): string
    {
        return json_encode($fields, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES) . "\n";
    }

    /** `RuntimeException: no such user` */
    public static function message(\Throwable $error): string
    {
        $text = $error->getMessage();
        if (!$error instanceof CallError) {
            $name = self::nameOf($error);
            $text = $text === '' ? $name : "$name: $text";
        }
        return self::middleOut($text, self::MESSAGE_MAX);
    }

    public static function stack(\Throwable $error): string
    {
        $text = '';
        for ($cause = $error; $cause !== null; $cause = $cause->getPrevious()) {
            $text .= ($text === '' ? '' : "\nCaused by ") . self::message($cause);
            $place = $cause->getFile() . ':' . $cause->getLine();
            foreach ($cause->getTrace() as $call) {
                if (strncmp($call['class'] ?? '', __NAMESPACE__, strlen(__NAMESPACE__)) === 0) {
                    break;
                }
                $text .= "\n  at " . explode("\0", $call['class'] ?? '')[0] . ($call['type'] ?? '') . "{$call['function']} ($place)";
                $place = isset($call['file']) ? "{$call['file']}:{$call['line']}" : 'PHP itself';
            }
            if (strncmp($place, __DIR__, strlen(__DIR__)) !== 0 && $place !== 'PHP itself' && strpos($text, "($place)") === false) {
                $text .= "\n  at $place";
            }
        }
        return self::middleOut($text, self::STACK_MAX);
    }

    /** The fatal error that is ending the process, with its place; null where exit does. */
    public static function fatal(): ?string
    {
        $last = error_get_last();
        if ($last === null || !($last['type'] & self::FATAL)) {
            return null;
        }
        $message = explode("\nStack trace:", $last['message'])[0];
        return self::middleOut("Fatal error: $message ({$last['file']}, line {$last['line']})", self::MESSAGE_MAX);
    }

    /** An anonymous class is named after what it extends, and a path behind a NUL. */
    public static function nameOf(object $value): string
    {
        return explode("\0", get_class($value))[0];
    }

    /** `an object of class Order`, `a value of type float` */
    public static function kindOf($value): string
    {
        if (is_object($value)) {
            return 'an object of class ' . self::nameOf($value);
        }
        return 'a value of type ' . (['double' => 'float', 'integer' => 'int', 'boolean' => 'bool', 'NULL' => 'null'][gettype($value)] ?? gettype($value));
    }

    /** Text with what is no UTF-8 in it replaced. */
    public static function utf8(string $text): string
    {
        return json_decode(json_encode($text, JSON_INVALID_UTF8_SUBSTITUTE));
    }

    /** The start tells where it came from, the end what it was; what is too much goes from between. */
    private static function middleOut(string $text, int $limit): string
    {
        $length = strlen($text);
        if ($length <= $limit) {
            return $text;
        }
        $start = $limit >> 2;
        return substr($text, 0, $start) . "\n  … " . ($length - $limit) . " bytes …\n" . substr($text, $length - $limit + $start);
    }
}
