<?php

// The PHP worker: holds one function and calls it (runtimes/PROTOCOL.md). Its syntax is that of
// PHP 7.2. runtimes/ANATOMY.md describes the parts.

namespace Kubeless\Worker;

require __DIR__ . '/worker/Wire.php';
require __DIR__ . '/worker/Output.php';
require __DIR__ . '/worker/Errors.php';
require __DIR__ . '/worker/Handler.php';
require __DIR__ . '/worker/Memory.php';
require __DIR__ . '/worker/Headers.php';
require __DIR__ . '/worker/Superglobals.php';
require __DIR__ . '/worker/Source.php';
require __DIR__ . '/worker/Leftovers.php';
require __DIR__ . '/worker/Event.php';
require __DIR__ . '/worker/Result.php';
require __DIR__ . '/worker/Process.php';
require __DIR__ . '/worker/Calls.php';

// 1 · wire, errors, output
Process::begin($argv);

// 2 · handler. The file is loaded here and not inside a method, so that its variables are global.
try {
    Process::loaded(require Handler::file());
} catch (\Throwable $error) {
    Process::failed($error);
}

// 3 · calls: event, handler, result
Process::serve();
