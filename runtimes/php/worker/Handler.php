<?php

namespace Kubeless\Worker;

/** Finds the function's file and the handler in it (PROTOCOL.md, chapter 3). */
final class Handler
{
    public static function file(): string
    {
        $file = (string) getenv('KUBELESS_HANDLER_FILE');
        if (!is_file($file)) {
            throw new LoadError('HANDLER_FAILED_TO_LOAD', "there is no file $file");
        }
        return $file;
    }

    /** Sets the include path: the function's folder, the installed dependencies, then PHP's own. */
    public static function addPaths(): void
    {
        $folders = [dirname((string) getenv('KUBELESS_HANDLER_FILE')), (string) getenv('KUBELESS_INSTALL_VOLUME')];
        $rest = array_diff(explode(PATH_SEPARATOR, (string) get_include_path()), ['.']);
        set_include_path(implode(PATH_SEPARATOR, array_merge(['.'], array_filter($folders), $rest)));
    }

    /**
     * @param mixed $returned what the function's file returned
     * @return array{0: callable, 1: string} the handler and its name
     * @throws LoadError if there is no handler, or more than one to choose from
     */
    public static function find($returned): array
    {
        $file = (string) getenv('KUBELESS_HANDLER_FILE');
        $name = (string) getenv('FUNC_HANDLER');
        $known = self::functionsOf($file);
        if ($name === '') {
            return self::onlyOne($known, $returned, basename($file));
        }
        foreach ($known as $full => $short) {
            if (strcasecmp($short, $name) === 0) { // PHP ignores case in function names
                return [$full, $short];
            }
        }
        if (function_exists($name) && (new \ReflectionFunction($name))->isUserDefined()) {
            return [$name, $name];
        }
        if ($returned instanceof \Closure) {
            return [$returned, $name];
        }
        throw self::notFound("there is no function $name in " . basename($file) . self::hint($name, $known), $known);
    }

    private static function onlyOne(array $known, $returned, string $file): array
    {
        if ($returned instanceof \Closure) {
            return [$returned, '{closure}'];
        }
        foreach (count($known) === 1 ? $known : ['handler', 'main', basename($file, '.php')] as $usual) {
            $full = array_search($usual, $known, true);
            if ($full !== false) {
                return [$full, $usual];
            }
        }
        if ($known === []) {
            throw self::notFound("$file has no function of the form `function handler(\$event, \$context)`", $known);
        }
        throw self::notFound("$file has several functions: say which one with FUNC_HANDLER (" . implode(', ', $known) . ')', $known);
    }

    /**
     * @return array<string, string> the handlers in the file: name with namespace => name without
     */
    private static function functionsOf(string $file): array
    {
        $file = realpath($file);
        $known = [];
        foreach (get_defined_functions()['user'] as $name) {
            $function = new \ReflectionFunction($name);
            if ($function->getFileName() === $file && $function->getNumberOfRequiredParameters() <= 2) {
                $known[$function->getName()] = $function->getShortName();
            }
        }
        return $known;
    }

    private static function notFound(string $message, array $known): LoadError
    {
        return new LoadError('HANDLER_NOT_FOUND', $message, ['handlers' => array_values($known)]);
    }

    private static function hint(string $name, array $known): string
    {
        foreach ($known as $other) {
            if (strlen($name . $other) < 200 && levenshtein(strtolower($name), strtolower($other)) <= 2) {
                return ": did you mean $other?";
            }
        }
        return $known === [] ? ": write one, `function $name(\$event, \$context)`" : ': it has ' . implode(', ', $known);
    }

    /** Returns `ParseError: syntax error, unexpected token "}" (hello.php, line 3)`. */
    public static function explain(\Throwable $error): string
    {
        return Errors::message($error) . ' (' . basename($error->getFile()) . ", line {$error->getLine()})" . self::cure($error->getMessage());
    }

    /** Returns the cure if the dependencies could not be loaded, or ''. */
    public static function cure(string $message): string
    {
        if (strpos($message, 'vendor/autoload.php') === false) {
            return '';
        }
        if (is_file(getenv('KUBELESS_INSTALL_VOLUME') . '/vendor/autoload.php')) {
            return "; its dependencies are installed elsewhere: write require 'vendor/autoload.php', without __DIR__";
        }
        $list = dirname((string) getenv('KUBELESS_HANDLER_FILE')) . '/composer.json';
        return is_file($list) && trim((string) file_get_contents($list)) !== ''
            ? '; is everything in composer.json installed?'
            : '; list what the function needs in a composer.json beside it';
    }
}
