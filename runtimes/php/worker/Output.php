<?php

namespace Kubeless\Worker;

/**
 * Sends what the function prints as `log` frames with the id of the call (PROTOCOL.md, chapter 7).
 */
final class Output
{
    private const MAX_LINE_BYTES = 1 << 20; // a longer line is sent in pieces

    private const NAMES = [
        E_WARNING => 'Warning', E_USER_WARNING => 'Warning', E_NOTICE => 'Notice', E_USER_NOTICE => 'Notice',
        E_DEPRECATED => 'Deprecated', E_USER_DEPRECATED => 'Deprecated', E_RECOVERABLE_ERROR => 'Recoverable fatal error',
    ];

    /** @var int the id of the running call, or 0 */
    public static $call = 0;
    /** @var Wire */
    private static $wire;
    /** @var string the beginning of a line whose end was not printed yet */
    private static $partial = '';

    public static function redirect(Wire $wire): void
    {
        self::$wire = $wire;
        ini_set('display_errors', '0');
        ini_set('log_errors', '1');
        ini_set('html_errors', '0');
        set_error_handler([self::class, 'warned']);
        self::take();
    }

    /**
     * Starts the worker's output buffer, unless it is still there: a function may end every buffer.
     */
    public static function take(): void
    {
        if (ob_get_level() === 0) {
            ob_start([self::class, 'printed'], 1); // 1 byte: the callback runs on every echo
        }
    }

    /**
     * Ends a call's output: prints the buffers that it left open, and sends the last line even
     * without a line break.
     */
    public static function finish(): void
    {
        for ($level = ob_get_level(); $level > 1; $level--) {
            @ob_end_flush(); // fails for a buffer that may not be removed
        }
        if (self::$partial !== '') {
            $text = self::$partial;
            self::$partial = '';
            self::emit('stdout', $text . "\n");
        }
    }

    /**
     * The output buffer's callback. In a forked child it leaves the text to PHP, which writes it to
     * descriptor 1.
     */
    public static function printed(string $text, int $phase): string
    {
        if (Process::isChild()) {
            return $text;
        }
        if (self::$partial !== '') {
            $text = self::$partial . $text;
            self::$partial = '';
        }
        $cut = strrpos($text, "\n");
        if ($cut === false || $cut + 1 < strlen($text)) {
            $cut = $cut === false ? 0 : $cut + 1;
            if (strlen($text) - $cut <= self::MAX_LINE_BYTES && !($phase & PHP_OUTPUT_HANDLER_FINAL)) {
                self::$partial = substr($text, $cut);
                $text = substr($text, 0, $cut);
            }
        }
        if ($text !== '') {
            self::emit('stdout', $text);
        }
        return '';
    }

    /** The handler of warnings and notices. A function may replace it with its own. */
    public static function warned(int $level, string $message, string $file, int $line): bool
    {
        if (!(error_reporting() & $level) || $level === E_USER_ERROR || Process::isChild()) {
            return false; // PHP's own handling: it remembers the error, writes it, or ends the process
        }
        self::emit('stderr', 'PHP ' . (self::NAMES[$level] ?? 'Error') . ":  $message in $file on line $line\n");
        return true;
    }

    private static function emit(string $stream, string $text): void
    {
        if (preg_match('//u', $text) !== 1) {
            $text = Errors::utf8($text);
        }
        $mark = self::$call === 0 ? '' : '"id":' . self::$call . ',';
        self::$wire->send('{"type":"log","stream":"' . $stream . '",' . $mark . '"body":' . strlen($text) . "}\n" . $text);
    }
}
