<?php

namespace Kubeless\Worker;

/** How much a function may take, and when the worker had better begin anew. */
final class Memory
{
    private const UNLIMITED = 1 << 30; // bytes, where nobody set a limit: recursion without end must meet one

    private static int $full = PHP_INT_MAX; // bytes

    /** Below the container's limit: PHP's own error says file and line, and the kernel's says nothing. */
    public static function limit(): void
    {
        $container = intdiv(self::quantity((string) getenv('FUNC_MEMORY_LIMIT')), 4) * 3;
        $own = (string) ini_get('memory_limit');
        if ($own !== '-1' && $own !== '128M') { // what PHP says unasked: anything else was chosen
            return;
        }
        if ($container > 0) {
            ini_set('memory_limit', (string) $container);
        } elseif ($own === '-1') {
            ini_set('memory_limit', (string) self::UNLIMITED);
        }
    }

    /** From here on, more than half of what is left is a leak, not what the function keeps. */
    public static function loaded(): void
    {
        $limit = self::size((string) ini_get('memory_limit'));
        if ($limit > 0) {
            $used = memory_get_usage();
            self::$full = $used + intdiv($limit - $used, 2);
        }
    }

    /** Whether so much is held, between calls, that a fresh process serves better. */
    public static function isFull(): bool
    {
        if (memory_get_usage() < self::$full) {
            return false;
        }
        gc_collect_cycles();
        return memory_get_usage() >= self::$full;
    }

    /** A quantity of Kubernetes, such as `128Mi`, `0.5G` or `1e9`; 0 for none. */
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

    /** PHP's way to write a size, such as `128M`, which is Mi. */
    private static function size(string $text): int
    {
        $unit = strpos('KMG', strtoupper(substr($text, -1)));
        return (int) $text * ($unit === false || $text === '' ? 1 : 1024 ** ($unit + 1));
    }
}
