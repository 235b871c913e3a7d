<?php

// The PHP worker: holds one function and calls it, as PROTOCOL.md says. Runs on PHP 7.4 and later with the extension FFI.

namespace Kubeless\Worker;

require __DIR__ . '/worker/Libc.php';
require __DIR__ . '/worker/Wire.php';
require __DIR__ . '/worker/Output.php';
require __DIR__ . '/worker/Failure.php';
require __DIR__ . '/worker/Handler.php';
require __DIR__ . '/worker/Memory.php';
require __DIR__ . '/worker/Extensions.php';
require __DIR__ . '/worker/Result.php';
require __DIR__ . '/worker/Life.php';
require __DIR__ . '/worker/Calls.php';

// 1 · take the wire, 2 · send
Life::begin($argv);

// 3 · encode: Result.php. 4 · load the handler. Here and not in a method: what the file sets outside of its functions is
// global then, as everywhere in PHP.
try {
    Life::loaded(require Handler::file());
} catch (\Throwable $error) {
    Life::failed($error);
}

// 5 · ready, 6 · the loop
Life::serve();
