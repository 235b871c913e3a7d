<?php

namespace Kubeless\Worker;

/** Reads a body of the type multipart/form-data (RFC 7578). */
final class Multipart
{
    /** @var array<int, array{0: string, 1: string}> name and value */
    public $fields = [];
    /**
     * @var array<int, array{0: string, 1: string, 2: string, 3: string}> name, file name, media
     * type, bytes
     */
    public $files = [];

    /**
     * Parts that are not form data, and everything behind a missing boundary, are left out as PHP
     * does.
     */
    public function __construct(string $body, string $contentType)
    {
        if (!preg_match('/;\s*boundary=(?:"([^"]+)"|([^;,\s]+))/i', $contentType, $found)) {
            return;
        }
        $boundary = '--' . ($found[2] ?? $found[1]);
        $length = \strlen($boundary);
        $at = strncmp($body, $boundary, $length) === 0 ? 0 : self::find($body, "\r\n$boundary", 0) + 2;
        while ($at >= 2 || ($at === 0 && $body !== '')) {
            $start = $at + $length;
            if (substr($body, $start, 2) === '--') {
                return;
            }
            $end = self::find($body, "\r\n$boundary", $start);
            $headEnd = self::find($body, "\r\n\r\n", $start);
            if ($end < 0 || $headEnd < 0 || $headEnd > $end) {
                return;
            }
            $head = substr($body, $start, $headEnd - $start);
            // A part without content: the line break before the boundary is also the one that ends
            // the head.
            $this->add($head, (string) substr($body, $headEnd + 4, max(0, $end - $headEnd - 4)));
            $at = $end + 2;
        }
    }

    private static function find(string $body, string $what, int $from): int
    {
        $at = strpos($body, $what, $from);
        return $at === false ? -3 : $at;
    }

    private function add(string $head, string $content): void
    {
        $headers = Headers::parse($head);
        $disposition = Headers::first($headers, 'content-disposition');
        $name = self::parameter($disposition, 'name');
        if ($name === null || $name === '') {
            return;
        }
        $file = self::parameter($disposition, 'filename');
        if ($file === null) {
            $this->fields[] = [$name, $content];
        } else {
            $this->files[] = [$name, $file, Headers::first($headers, 'content-type'), $content];
        }
    }

    private static function parameter(string $header, string $name): ?string
    {
        // Browsers escape a quote as %22, other clients as \".
        if (!preg_match('/;\s*' . $name . '=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\s]*))/is', $header, $found)) {
            return null;
        }
        return isset($found[2]) ? $found[2] : str_replace(['\\"', '\\\\'], ['"', '\\'], $found[1]);
    }

    /**
     * Makes the tree that PHP makes of names such as `a[b][]`.
     * @param array<int, array{0: string, 1: mixed}> $pairs name and value
     */
    public static function tree(array $pairs): array
    {
        $query = '';
        foreach ($pairs as $index => $pair) {
            $query .= rawurlencode($pair[0]) . "=$index&";
        }
        parse_str($query, $tree);
        array_walk_recursive($tree, static function (&$leaf) use ($pairs) {
            $leaf = $pairs[(int) $leaf][1];
        });
        return $tree;
    }
}
