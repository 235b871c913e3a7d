<?php

// The handlers that the shared suites call. docs/conformance.md describes each.

const TEXT = 'čšž ελ 日本 🎉';

echo "conformance loaded\n";

function echoes($event, $context)
{
    return $event->data;
}

function types($event, $context)
{
    return [
        'id' => $event->{'event-id'},
        'type' => $event->{'event-type'},
        'time' => $event->{'event-time'},
        'namespace' => $event->{'event-namespace'},
        'data' => $event->data,
        'source' => $event->extensions->source ?? null,
    ];
}

function context($event, $context)
{
    return $context;
}

function raises($event, $context)
{
    throw new RuntimeException($event->data);
}

function exits()
{
    exit(3);
}

function dies()
{
    posix_kill(getmypid(), 9);
}

function recurses($event, $context)
{
    return recurses($event, $context);
}

function prints($event, $context)
{
    echo $event->data, "\n";
    fwrite(STDERR, $event->data . "\n");
    return 'printed';
}

function unicode($event, $context)
{
    echo TEXT, "\n";
    if ($event->data === 'raise') {
        throw new RuntimeException(TEXT);
    }
    return TEXT;
}

function sleeps($event, $context)
{
    usleep((int) $event->data * 1000);
    return 'slept';
}

function bytes()
{
    return implode(array_map('chr', range(0, 255)));
}

function big($event, $context)
{
    return str_repeat('0123456789', intdiv((int) $event->data, 10));
}

function streams($event, $context)
{
    $words = explode(' ', $event->data);
    list($n, $m, $ms) = array_map('intval', $words);
    for ($i = 0; $i < $n; $i++) {
        if ($i > 0) {
            usleep($ms * 1000);
        }
        yield str_repeat((string) ($i % 10), $m);
    }
    if (($words[3] ?? '') === 'raise') {
        throw new RuntimeException('broken off');
    }
}

function headers($event, $context)
{
    $response = $event->extensions->response;
    $event->extensions->response = $response
        ->withStatus(201)
        ->withHeader('Content-Type', 'text/plain')
        ->withHeader('X-Name', 'Ada')
        ->withAddedHeader('Set-Cookie', 'a=1')
        ->withAddedHeader('Set-Cookie', 'b=2');
    return 'made';
}

function request($event, $context)
{
    $request = $event->extensions->request;
    return [
        'method' => $request->getMethod(),
        'path' => $request->getUri()->getPath(),
        'query' => $request->getQueryParams()['x'] ?? null,
        'header' => $request->hasHeader('X-Name') ? $request->getHeaderLine('X-Name') : null,
    ];
}

function nonsense()
{
    return function () {
        return 'never called';
    };
}

function spawns($event, $context)
{
    // No fork here: PHP runs none of the worker's code in a child before the function's (README,
    // Processes).
    return trim(shell_exec('sleep 30 > /dev/null 2>&1 & echo $!'));
}

function stdin()
{
    return file_get_contents('php://stdin');
}

function counts()
{
    static $count = 0;
    return (string) ++$count;
}
