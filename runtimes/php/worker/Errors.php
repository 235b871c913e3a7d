<?php

namespace Kubeless\Worker;

/** Ends a call with a code of PROTOCOL 4.6 instead of FUNCTION_THREW. */
class CallError extends \Exception
{
    /** @var string the code */
    public $reason;

    public function __construct(string $reason, string $message)
    {
        parent::__construct($message);
        $this->reason = $reason;
    }
}

/** The function cannot be served; becomes a `failed` frame. */
final class LoadError extends \Exception
{
    /** @var array<string, mixed> the frame's line */
    public $fields;

    public function __construct(string $code, string $message, array $more = [])
    {
        parent::__construct($message);
        $this->fields = ['type' => 'failed', 'code' => $code, 'message' => $message] + $more;
    }
}

/**
 * Turns exceptions and fatal errors into messages and stacks of bounded length, without the
 * worker's own stack frames.
 */
final class Errors
{
    private const MAX_MESSAGE_BYTES = 4096;
    private const MAX_STACK_BYTES = 16384;
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

    /** Returns `RuntimeException: no such user`. */
    public static function message(\Throwable $error): string
    {
        $text = $error->getMessage();
        if (!$error instanceof CallError) {
            $name = self::nameOf($error);
            $text = $text === '' ? $name : "$name: $text";
        }
        return self::shorten($text, self::MAX_MESSAGE_BYTES);
    }

    public static function stack(\Throwable $error): string
    {
        $text = '';
        for ($cause = $error; $cause !== null; $cause = $cause->getPrevious()) {
            $text .= ($text === '' ? '' : "\nCaused by ") . self::message($cause);
            $place = $cause->getFile() . ':' . $cause->getLine();
            foreach ($cause->getTrace() as $call) {
                if (strncmp($call['class'] ?? '', __NAMESPACE__, \strlen(__NAMESPACE__)) === 0) {
                    break;
                }
                $text .= "\n  at " . explode("\0", $call['class'] ?? '')[0] . ($call['type'] ?? '') . "{$call['function']} ($place)";
                $place = isset($call['file']) ? "{$call['file']}:{$call['line']}" : 'PHP itself';
            }
            if (strncmp($place, __DIR__, \strlen(__DIR__)) !== 0 && $place !== 'PHP itself' && strpos($text, "($place)") === false) {
                $text .= "\n  at $place";
            }
        }
        return self::shorten($text, self::MAX_STACK_BYTES);
    }

    /**
     * Returns the fatal error that is ending the process, with file and line; null if there is none
     * (the function called exit).
     */
    public static function fatal(): ?string
    {
        $last = error_get_last();
        if ($last === null || !($last['type'] & self::FATAL)) {
            return null;
        }
        $message = explode("\nStack trace:", $last['message'])[0];
        $hint = strpos($message, 'Cannot redeclare') === 0 || strpos($message, 'because the name is already in use') !== false
            ? '. One process serves many calls: use require_once instead of require or include, and declare functions and classes outside of functions'
            : '';
        return self::shorten("Fatal error: $message ({$last['file']}, line {$last['line']})$hint", self::MAX_MESSAGE_BYTES);
    }

    /**
     * Returns the class name. That of an anonymous class ends in a NUL and a path, which are left
     * out.
     */
    public static function nameOf($value): string
    {
        return explode("\0", \get_class($value))[0];
    }

    /** Returns `an object of class Order` or `a value of type float`. */
    public static function kindOf($value): string
    {
        if (\is_object($value)) {
            return 'an object of class ' . self::nameOf($value);
        }
        return 'a value of type ' . (['double' => 'float', 'integer' => 'int', 'boolean' => 'bool', 'NULL' => 'null'][\gettype($value)] ?? \gettype($value));
    }

    /** Returns the text with invalid UTF-8 replaced by U+FFFD. */
    public static function utf8(string $text): string
    {
        return json_decode(json_encode($text, JSON_INVALID_UTF8_SUBSTITUTE));
    }

    /** Removes the middle of a text that is too long. */
    private static function shorten(string $text, int $maxBytes): string
    {
        $length = \strlen($text);
        if ($length <= $maxBytes) {
            return $text;
        }
        $start = $maxBytes >> 2;
        return substr($text, 0, $start) . "\n  … " . ($length - $maxBytes) . " bytes …\n" . substr($text, $length - $maxBytes + $start);
    }
}
