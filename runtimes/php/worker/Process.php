<?php

namespace Kubeless\Worker;

/** The worker's process: its start, its end, and its new start. */
final class Process
{
    /**
     * The argument of a worker that replaced an earlier one in the same process: `ready` was sent
     * already.
     */
    private const AGAIN = 'again';

    /** @var resource|\Socket keeps descriptor 0 open */
    public static $stdin;
    /** @var Wire */
    private static $wire;
    /** @var Calls|null null while the function's file is being loaded */
    private static $calls;
    /** @var int the process id */
    private static $pid;
    /** @var int|null the exit code of an end that the worker wants */
    private static $exitCode;
    /** @var string[] */
    private static $arguments;
    /** @var array<string, string> the environment before the function could change it */
    private static $environment;
    /** @var string */
    private static $folder;
    /** @var int number of open descriptors before the function opened any */
    private static $descriptors;

    public static function begin(array $arguments): void
    {
        if (!\function_exists('socket_recvmsg')) {
            self::refuse("PHP's extension sockets is missing. Install it: docker-php-ext-install sockets");
        }
        self::$arguments = $arguments;
        self::$environment = getenv();
        self::$folder = (string) getcwd();
        self::$pid = getmypid();
        self::$wire = Wire::take();
        self::$descriptors = self::countDescriptors();
        register_shutdown_function([self::class, 'ended']);
        Output::redirect(self::$wire);
        Memory::limit();
        Handler::addPaths();
        Superglobals::prepare();
        require __DIR__ . '/functions.php';
    }

    private static function isFirst(): bool
    {
        return (self::$arguments[1] ?? '') !== self::AGAIN;
    }

    /** @param mixed $returned what the function's file returned */
    public static function loaded($returned): void
    {
        list($handler, $name) = Handler::find($returned);
        Output::finish();
        Leftovers::remember();
        Memory::loaded();
        self::$calls = new Calls(self::$wire, $handler, $name);
        if (self::isFirst()) {
            self::$wire->send(Errors::line(['type' => 'ready', 'wire' => 1, 'handler' => $name, 'ahead' => Calls::AHEAD, 'envelopes' => true]));
        }
    }

    public static function serve(): void
    {
        self::$calls->serve();
        self::$calls = null;
        self::terminate();
        self::leave(0);
    }

    /** Runs the function's own handler of SIGTERM, which it expects at the end of a pod. */
    private static function terminate(): void
    {
        self::$exitCode = 0;
        $handler = \function_exists('pcntl_signal_get_handler') ? pcntl_signal_get_handler(SIGTERM) : null;
        if (\is_callable($handler)) {
            try {
                $handler(SIGTERM, []);
            } catch (\Throwable $error) {
                fwrite(STDERR, Errors::stack($error) . "\n");
            }
        }
        Output::finish();
    }

    public static function failed(\Throwable $error): void
    {
        if ($error instanceof LoadError) {
            self::cannotServe($error->fields);
        } else {
            $fields = ['type' => 'failed', 'code' => 'HANDLER_FAILED_TO_LOAD', 'message' => Handler::explain($error)];
            self::cannotServe($fields + ['stack' => Errors::stack($error)]);
        }
    }

    private static function cannotServe(array $fields): void
    {
        Output::finish();
        if (self::isFirst()) {
            self::$wire->send(Errors::line($fields));
        } else {
            fwrite(STDERR, "The function cannot be loaded again: {$fields['message']}\n");
        }
        self::leave(1);
    }

    public static function leave(int $code): void
    {
        self::$exitCode = $code;
        exit($code);
    }

    /**
     * Returns whether the function forked this process. The child then closes its copy of the wire
     * (PROTOCOL 1.2).
     */
    public static function isChild(): bool
    {
        if (getmypid() === self::$pid) {
            return false;
        }
        self::$wire->leaveToParent();
        return true;
    }

    /**
     * PHP calls this at its end. If the worker did not want to end, the handler called exit or an
     * error was fatal: the running call is answered, all others are given back, and the worker
     * starts again.
     */
    public static function ended(): void
    {
        if (self::isChild()) {
            return;
        }
        if (self::$exitCode !== null) {
            $code = self::$exitCode;
            register_shutdown_function(static function () use ($code) {
                exit($code); // the function's own code for the end may have called exit with another
            });
            return;
        }
        ini_set('memory_limit', '-1'); // the limit may be the reason for the end
        $fatal = Errors::fatal();
        if (self::$calls === null) {
            $message = $fatal ?? 'the file calls exit while it loads: it is loaded once and must not end the process';
            self::cannotServe(['type' => 'failed', 'code' => 'HANDLER_FAILED_TO_LOAD', 'message' => $message . Handler::cure($message)]);
        }
        $id = Output::$call;
        Output::finish();
        Output::$call = 0;
        Superglobals::clear();
        $isStopping = self::$calls->giveAllBack();
        if ($id !== 0) {
            $message = $fatal ?? 'the handler called exit, which ends its process: return the result instead';
            self::$wire->send(Errors::line(['type' => 'error', 'id' => $id, 'message' => $message]));
        }
        // Registered here, it runs after the shutdown functions of the function.
        register_shutdown_function($isStopping ? [self::class, 'leave'] : [self::class, 'startAgain'], 0);
    }

    /**
     * Replaces this program by a new worker in the same process and on the same wire, so that no
     * call is lost. Where that is not possible, the process ends, and the loader starts another.
     */
    public static function startAgain(): void
    {
        Output::finish();
        if (!\function_exists('pcntl_exec')) {
            self::leave(1);
        }
        foreach (get_resources('stream') as $stream) {
            if ($stream !== STDOUT && $stream !== STDERR && $stream !== self::$stdin) {
                try {
                    @fclose($stream);
                } catch (\TypeError $error) {
                    continue; // PHP itself still uses this one
                }
            }
        }
        if (self::countDescriptors() > self::$descriptors) {
            self::leave(1); // exec would keep what cannot be closed, such as a database connection
        }
        chdir(self::$folder);
        set_time_limit(0); // timers survive exec
        pcntl_alarm(0);
        self::$wire->handOn();
        pcntl_exec(PHP_BINARY, [self::$arguments[0], self::AGAIN], self::$environment);
        self::leave(1);
    }

    private static function countDescriptors(): int
    {
        return \count(scandir(is_dir('/proc/self/fd') ? '/proc/self/fd' : '/dev/fd'));
    }

    private static function refuse(string $why): void
    {
        $wire = @fopen('php://fd/0', 'w');
        if ($wire !== false) {
            fwrite($wire, json_encode(['type' => 'failed', 'code' => 'HANDLER_FAILED_TO_LOAD', 'message' => $why]) . "\n");
        }
        exit(1);
    }
}
