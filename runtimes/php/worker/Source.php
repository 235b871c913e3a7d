<?php

namespace Kubeless\Worker;

/**
 * Looks once into each file that the function loads, so that a call pays only for what its code can
 * do: a file that never says `chdir` needs no look at the working folder after each call.
 */
final class Source
{
    private const REQUEST = '/_(?:GET|POST|SERVER|COOKIE|REQUEST|FILES)\b|\bGLOBALS\b|php:\/\/input|getallheaders|apache_request_headers/i';
    private const LOADS_CODE = '/\b(?:include|require)(?:_once)?\b|autoload|\beval\b/i';

    /**
     * @var array<string, true> words of Leftovers::words() that the files contain, in lower case
     */
    public static $words = [];
    /**
     * @var array<string, string> functions and classes that a second run of the same code would
     * declare again, which is a fatal error: name => `function` or `class`
     */
    public static $declared = [];
    /**
     * @var array<string, true> base names of files that a function body loads by include or require
     */
    private static $included = [];
    /** @var int included files that were looked into */
    private static $count = 0;

    /**
     * Returns whether the function can read superglobals: it names one, or loads files that may.
     */
    public static function readsRequest(string $file): bool
    {
        $text = (string) file_get_contents($file);
        return preg_match(self::REQUEST, $text) === 1 || preg_match(self::LOADS_CODE, $text) === 1;
    }

    /**
     * Looks into the files that were included since the last time. Returns whether there were any.
     */
    public static function lookAgain(): bool
    {
        $files = get_included_files();
        if (\count($files) === self::$count) {
            return false;
        }
        foreach (\array_slice($files, self::$count) as $file) {
            if (strncmp($file, \dirname(__DIR__), \strlen(\dirname(__DIR__))) !== 0) {
                self::look($file, (string) @file_get_contents($file));
            }
        }
        self::$count = \count($files);
        return true;
    }

    private static function look(string $file, string $text): void
    {
        preg_match_all('/\b(?:' . Leftovers::words() . ')\b/i', $text, $found);
        foreach ($found[0] as $word) {
            self::$words[strtolower($word)] = true;
        }
        // Packages guard their declarations. The tokenizer is too slow for all of their files.
        if (strpos($file, '/vendor/') === false && \function_exists('token_get_all')) {
            self::findDeclarations($text, isset(self::$included[basename($file)]));
        }
    }

    /** @param bool $isRepeated the whole file runs again in the next call */
    private static function findDeclarations(string $text, bool $isRepeated): void
    {
        $scopes = []; // one entry for each open brace: what it belongs to
        $opens = ''; // what the next brace belongs to
        $namespace = '';
        $before = null; // the last token that is no white space
        $tokens = token_get_all($text);
        foreach ($tokens as $index => $token) {
            $kind = \is_array($token) ? $token[0] : $token;
            if ($kind === T_WHITESPACE || $kind === T_COMMENT || $kind === T_DOC_COMMENT) {
                continue;
            }
            if ($kind === '{' || $kind === T_CURLY_OPEN || $kind === T_DOLLAR_OPEN_CURLY_BRACES) {
                $scopes[] = $kind === '{' ? $opens : '';
                $opens = '';
            } elseif ($kind === '}') {
                array_pop($scopes);
            } elseif ($kind === ';') {
                $opens = '';
            } elseif ($kind === T_NAMESPACE) {
                $namespace = self::nameAfter($tokens, $index);
            } elseif ($kind === T_FUNCTION || (self::isClass($kind) && $before !== T_DOUBLE_COLON)) {
                $opens = $kind === T_FUNCTION ? 'function' : 'class';
                $scope = (string) current(array_filter(array_reverse($scopes))); // the innermost that is no plain block
                $name = self::nameAfter($tokens, $index);
                $runsAgain = $scope === 'function' || ($isRepeated && $scope === '');
                if ($runsAgain && $name !== '' && $before !== T_NEW && $before !== T_USE && !self::isGuarded($text, $name)) {
                    self::$declared[ltrim("$namespace\\$name", '\\')] = $opens;
                }
            } elseif (($kind === T_INCLUDE || $kind === T_REQUIRE) && \in_array('function', $scopes, true)) {
                self::$included[basename(self::stringAfter($tokens, $index))] = true;
            }
            $before = $kind;
        }
    }

    private static function isClass($kind): bool
    {
        return $kind === T_CLASS || $kind === T_INTERFACE || $kind === T_TRAIT || (\defined('T_ENUM') && $kind === T_ENUM);
    }

    /** Returns the name that a declaration gives, or '' for a closure or an anonymous class. */
    private static function nameAfter(array $tokens, int $index): string
    {
        $name = '';
        while (isset($tokens[++$index])) {
            $token = $tokens[$index];
            if (\is_array($token) && preg_match('/^[\w\\\\\x80-\xff]+$/', $token[1])) {
                $name .= $token[1]; // PHP 7 has one token for each part of a namespace
            } elseif ($name !== '' || !(\is_array($token) && $token[0] === T_WHITESPACE) && (\is_array($token) ? $token[1] : $token) !== '&') {
                break;
            }
        }
        return $name;
    }

    /** Returns the last string literal of the statement, without its quotes. */
    private static function stringAfter(array $tokens, int $index): string
    {
        $text = '';
        while (isset($tokens[++$index]) && $tokens[$index] !== ';') {
            if (\is_array($tokens[$index]) && $tokens[$index][0] === T_CONSTANT_ENCAPSED_STRING) {
                $text = trim($tokens[$index][1], '\'"');
            }
        }
        return $text;
    }

    private static function isGuarded(string $text, string $name): bool
    {
        return preg_match('/_exists\s*\(\s*[^)]*\b' . preg_quote($name, '/') . '\b/i', $text) === 1;
    }
}
