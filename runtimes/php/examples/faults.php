<?php

// The function of test/chaos, whose README describes it.

const VERSION = 'one';

function notes($event, $context)
{
    list($id, $action, $number) = explode(' ', strtok($event->data, "\n"));
    $line = $id . ' ' . VERSION . "\n";
    if (file_put_contents(getenv('FAULTS_NOTES') . '/' . getmypid(), $line, FILE_APPEND) === false) {
        throw new RuntimeException("$id cannot be noted");
    }
    switch ($action) {
        case 'echo':
            return $event->data;
        case 'sleep':
            usleep((int) $number * 1000);
            return $line;
        case 'stream':
            return pieces($line, (int) $number);
        case 'raise':
            throw new RuntimeException($id);
        case 'die':
            posix_kill(getmypid(), 9);
            return $line;
        case 'hoard':
            return (string) strlen(str_repeat('x', 1 << 50));
        case 'print':
            echo substr(str_repeat("{\"\xff\0\n", (int) $number), 0, (int) $number);
            return $line;
        case 'spawn':
            shell_exec('sleep 30 > /dev/null 2>&1 &');
            return $line;
        case 'wire':
            array_map(function ($fd) {
                file_put_contents("php://fd/$fd", "no frame\n");
            }, sockets());
            return $line;
        default:
            return str_repeat($line, (int) $number);
    }
}

function pieces($line, $count)
{
    for ($i = 0; $i < $count; $i++) {
        yield $line;
    }
}

function sockets()
{
    return array_filter(scandir('/proc/self/fd'), function ($fd) {
        return (int) $fd > 2 && strpos((string) @readlink("/proc/self/fd/$fd"), 'socket:') === 0;
    });
}
