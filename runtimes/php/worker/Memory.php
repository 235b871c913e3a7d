<?php

namespace Kubeless\Worker;

/** Sets PHP's memory limit, and measures whether the function keeps too much between calls. */
final class Memory
{
    private const DEFAULT_LIMIT_BYTES = 1 << 30; // endless recursion must meet a limit

    /** @var int bytes in use between two calls from which on the worker starts again */
    private static $full = PHP_INT_MAX;

    /**
     * Sets a limit below the container's: PHP's error names file and line, the kernel's kill does
     * not.
     */
    public static function limit(): void
    {
        $container = intdiv(self::quantity((string) getenv('FUNC_MEMORY_LIMIT')), 4) * 3;
        $own = (string) ini_get('memory_limit');
        if ($own !== '-1' && $own !== '128M') { // PHP's defaults; any other value was set on purpose
            return;
        }
        if ($container > 0) {
            ini_set('memory_limit', (string) $container);
        } elseif ($own === '-1') {
            ini_set('memory_limit', (string) self::DEFAULT_LIMIT_BYTES);
        }
    }

    /**
     * Called once the file is loaded. If calls then keep more than half of the rest, that counts as
     * a leak.
     */
    public static function loaded(): void
    {
        $limit = self::size((string) ini_get('memory_limit'));
        if ($limit > 0) {
            $used = memory_get_usage();
            self::$full = $used + intdiv($limit - $used, 2);
        }
    }

    /**
     * Returns whether the function holds so much between calls that the worker has to start again.
     */
    public static function isFull(): bool
    {
        if (memory_get_usage() < self::$full) {
            return false;
        }
        gc_collect_cycles();
        return memory_get_usage() >= self::$full;
    }

    /** Returns whether PHP's limit leaves room for this number of bytes. */
    public static function hasRoomFor(int $bytes): bool
    {
        $limit = self::size((string) ini_get('memory_limit'));
        return $limit <= 0 || memory_get_usage() + $bytes < $limit;
    }

    /**
     * Returns the bytes of a Kubernetes quantity such as `128Mi`, `0.5G` or `1e9`; 0 if it is none.
     */
    private static function quantity(string $text): int
    {
        if (!preg_match('/^(\d+(?:\.\d+)?(?:[eE]\d+)?)(m|[kKMGTPE]i?)?$/', trim($text), $parts)) {
            return 0;
        }
        $unit = $parts[2] ?? '';
        if ($unit === 'm') {
            return (int) ($parts[1] / 1000);
        }
        $power = $unit === '' ? 0 : strpos('KMGTPE', strtoupper($unit[0])) + 1;
        return (int) ($parts[1] * (strlen($unit) === 2 ? 1024 : 1000) ** $power);
    }

    /** Returns the bytes of a php.ini size: `128M` is 128 MiB. */
    private static function size(string $text): int
    {
        $unit = strpos('KMG', strtoupper(substr($text, -1)));
        return (int) $text * ($unit === false || $text === '' ? 1 : 1024 ** ($unit + 1));
    }
}
