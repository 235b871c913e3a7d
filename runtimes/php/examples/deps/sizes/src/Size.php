<?php

namespace Example\Sizes;

/** A number of bytes, for people. */
final class Size
{
    private const UNITS = ['Bytes', 'kB', 'MB', 'GB'];

    private int $bytes;

    public function __construct(int $bytes)
    {
        $this->bytes = $bytes;
    }

    public function __toString(): string
    {
        $power = $this->bytes < 1000 ? 0 : min((int) log($this->bytes, 1000), count(self::UNITS) - 1);
        return round($this->bytes / 1000 ** $power, 1) . ' ' . self::UNITS[$power];
    }
}
