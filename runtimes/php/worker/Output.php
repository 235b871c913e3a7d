<?php

namespace Kubeless\Worker;

/** What a function prints, as `log` frames that name the call (PROTOCOL.md, chapter 7). */
final class Output
{
    private const LINE_MAX = 1 << 20; // bytes; what has no line break by then goes as it is

    private const NAMES = [
        E_WARNING => 'Warning', E_USER_WARNING => 'Warning', E_NOTICE => 'Notice', E_USER_NOTICE => 'Notice',
        E_DEPRECATED => 'Deprecated', E_USER_DEPRECATED => 'Deprecated', E_RECOVERABLE_ERROR => 'Recoverable fatal error',
    ];

    /** the id of the call that is running, or 0 */
    public static int $call = 0;
    private static Wire $wire;
    private static string $partial = ''; // the beginning of a line

    public static function redirect(Wire $wire): void
    {
        self::$wire = $wire;
        ini_set('display_errors', '0');
        ini_set('log_errors', '1');
        ini_set('html_errors', '0');
        set_error_handler([self::class, 'warned']);
        self::take();
    }

    /** A function may end all output buffers there are, ours as well. */
    public static function take(): void
    {
        if (ob_get_level() === 0) {
            ob_start([self::class, 'printed'], 1); // a buffer of 1 byte: all that is printed comes at once
        }
    }

    /** The call is over: buffers it left open are printed, and what has no line break is a line too. */
    public static function finish(): void
    {
        while (ob_get_level() > 1 && @ob_end_flush()) {
        }
        if (self::$partial !== '') {
            $text = self::$partial;
            self::$partial = '';
            self::emit('stdout', $text . "\n");
        }
    }

    /** In a forked child, where it goes to the stream itself. */
    public static function forget(): void
    {
        self::$partial = '';
    }

    /** PHP's callback for an output buffer. */
    public static function printed(string $text, int $phase): string
    {
        if (self::$wire->gone) {
            return $text;
        }
        if (self::$partial !== '') {
            $text = self::$partial . $text;
            self::$partial = '';
        }
        $cut = strrpos($text, "\n");
        if ($cut === false || $cut + 1 < strlen($text)) {
            $cut = $cut === false ? 0 : $cut + 1;
            if (strlen($text) - $cut <= self::LINE_MAX && !($phase & PHP_OUTPUT_HANDLER_FINAL)) {
                self::$partial = substr($text, $cut);
                $text = substr($text, 0, $cut);
            }
        }
        if ($text !== '') {
            self::emit('stdout', $text);
        }
        return '';
    }

    /** PHP's callback for warnings and notices. A function that sets one of its own has its way. */
    public static function warned(int $level, string $message, string $file, int $line): bool
    {
        if (!(error_reporting() & $level) || $level === E_USER_ERROR || self::$wire->gone) {
            return false; // PHP's own way: it is remembered, or fatal, or written to the stream
        }
        self::emit('stderr', 'PHP ' . (self::NAMES[$level] ?? 'Error') . ":  $message in $file on line $line\n");
        return true;
    }

    private static function emit(string $stream, string $text): void
    {
        if (preg_match('//u', $text) !== 1) {
            $text = Failure::utf8($text);
        }
        $mark = self::$call === 0 ? '' : '"id":' . self::$call . ',';
        self::$wire->send('{"type":"log","stream":"' . $stream . '",' . $mark . '"body":' . strlen($text) . "}\n" . $text);
    }
}
