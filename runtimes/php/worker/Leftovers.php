<?php

namespace Kubeless\Worker;

/**
 * Puts back what a call changed in the process, so that the next call finds it as the first one
 * did.
 * Under PHP-FPM, which Kubeless's own image used, PHP does this after each request.
 */
final class Leftovers
{
    /**
     * What can be put back: method that reads and writes it => functions that change it (see
     * Source).
     */
    private const CHANGED_BY = [
        'folder' => 'chdir',
        'mask' => 'umask',
        'environment' => 'putenv',
        'locale' => 'setlocale',
        'settings' => 'ini_set|ini_alter|ini_restore|error_reporting|set_include_path|set_time_limit|bcscale',
        'errorHandler' => 'set_error_handler|restore_error_handler',
        'exceptionHandler' => 'set_exception_handler|restore_exception_handler',
        'timeZone' => 'date_default_timezone_set',
        'encoding' => 'mb_internal_encoding',
        'libxml' => 'libxml_use_internal_errors',
        'session' => 'session_start',
        'alarm' => 'pcntl_alarm',
    ];

    /** @var array<string, mixed> the values after loading */
    private static $values = [];
    /** @var string[] methods to call after each call */
    private static $steps = [];

    /** Returns a regular expression for the functions that change something. */
    public static function words(): string
    {
        return implode('|', self::CHANGED_BY);
    }

    /** Called once the function's file is loaded. */
    public static function remember(): void
    {
        foreach (array_keys(self::CHANGED_BY) as $name) {
            self::$values[$name] = self::$name();
        }
        Source::lookAgain();
        self::choose();
    }

    /**
     * Called after each call. Returns whether the process must start again, because the next call
     * would declare something twice.
     */
    public static function putBack(): bool
    {
        if (Source::lookAgain()) {
            self::choose();
        }
        foreach (self::$steps as $name) {
            self::$name(self::$values[$name]);
        }
        foreach (Source::$declared as $name => $kind) {
            if ($kind === 'function' ? \function_exists($name) : self::hasClass($name)) {
                return true;
            }
        }
        return false;
    }

    private static function hasClass(string $name): bool
    {
        return class_exists($name, false) || interface_exists($name, false) || trait_exists($name, false);
    }

    private static function choose(): void
    {
        self::$steps = [];
        foreach (self::CHANGED_BY as $name => $words) {
            if (array_intersect_key(array_flip(explode('|', $words)), Source::$words) !== []) {
                self::$steps[] = $name;
            }
        }
    }

    // ---- Each method returns the current value, or puts back the one it is given.

    private static function folder(?string $value = null): ?string
    {
        if ($value === null) {
            return getcwd() ?: null;
        }
        getcwd() === $value || @chdir($value);
        return null;
    }

    private static function mask(?int $value = null): int
    {
        return $value === null ? umask() : umask($value);
    }

    private static function environment(?array $value = null): array
    {
        $now = getenv();
        foreach ($value === null ? [] : array_diff_assoc($now, $value) + array_diff_key($value, $now) as $name => $text) {
            putenv(isset($value[$name]) ? "$name={$value[$name]}" : (string) $name);
        }
        return $now;
    }

    private static function locale(?string $value = null): string
    {
        return (string) setlocale(LC_ALL, $value ?? '0');
    }

    private static function settings(?array $value = null): array
    {
        $now = ini_get_all(null, false);
        foreach ($value === null ? [] : array_diff_assoc($now, $value) as $name => $text) {
            @ini_set($name, (string) ($value[$name] ?? ''));
        }
        return $now;
    }

    private static function errorHandler($value = null)
    {
        return self::handler('set_error_handler', 'restore_error_handler', $value);
    }

    private static function exceptionHandler($value = null)
    {
        return self::handler('set_exception_handler', 'restore_exception_handler', $value);
    }

    /** PHP keeps a stack of handlers. Takes off those above $value. */
    private static function handler(string $set, string $restore, $value)
    {
        for ($depth = 0; $depth < 100; $depth++) {
            $now = $set(null);
            $restore();
            if ($value === null || $now === $value) {
                return $now;
            }
            $restore();
        }
        return $set($value); // the call had taken it off
    }

    private static function timeZone(?string $value = null): string
    {
        $value === null || date_default_timezone_set($value);
        return date_default_timezone_get();
    }

    private static function encoding(?string $value = null): ?string
    {
        if (!\function_exists('mb_internal_encoding')) {
            return null;
        }
        return $value === null ? mb_internal_encoding() : (string) mb_internal_encoding($value);
    }

    private static function libxml(?bool $value = null): ?bool
    {
        if (!\function_exists('libxml_use_internal_errors')) {
            return null;
        }
        $now = libxml_use_internal_errors((bool) $value);
        $value === null ? libxml_use_internal_errors($now) : libxml_clear_errors();
        return $now;
    }

    /** Ends the session: the next caller must not continue it. */
    private static function session(): void
    {
        if (\function_exists('session_status') && session_status() === PHP_SESSION_ACTIVE) {
            session_write_close();
            $_SESSION = [];
            @session_id('');
        }
    }

    private static function alarm(): void
    {
        \function_exists('pcntl_alarm') && pcntl_alarm(0);
    }
}
