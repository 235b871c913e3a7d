<?php

namespace Kubeless\Worker;

/** How the process begins, how it ends, and how it begins again in its place. */
final class Life
{
    /** The word, behind the script's name, of a worker that took the place of one before, and says no second `ready`. */
    private const AGAIN = 'again';

    private static Wire $wire;
    private static ?Calls $calls = null;
    private static bool $isFirst;
    private static bool $leaving = false;
    /** @var string[] as they were before the function changed anything */
    private static array $env;
    private static string $folder;

    public static function begin(array $arguments): void
    {
        if (!class_exists('FFI', false)) {
            self::refuse("PHP's extension FFI is missing, without which a function's child processes would hold the worker's wire: install it (php-ffi, or docker-php-ext-install ffi)");
        }
        self::$wire = $wire = new Wire();
        self::$isFirst = ($arguments[1] ?? '') !== self::AGAIN;
        self::$env = array_map(static fn ($name, $value) => "$name=$value", array_keys(getenv()), getenv());
        self::$folder = (string) getcwd();
        if (self::$isFirst) {
            self::watch();
        }
        Libc::afterFork(static function () use ($wire): void {
            $wire->leaveToParent();
            Output::forget();
        });
        register_shutdown_function([self::class, 'ended']);
        Output::redirect($wire);
        Memory::limit();
        Handler::addPaths();
    }

    public static function loaded($returned): void
    {
        [$handler, $name] = Handler::find($returned);
        self::$calls = new Calls(self::$wire, $handler, $name);
        Output::finish();
        Memory::loaded();
        if (self::$isFirst) {
            self::$wire->send(Failure::line(['type' => 'ready', 'wire' => 1, 'handler' => $name, 'ahead' => Calls::AHEAD]));
        }
    }

    public static function serve(): void
    {
        self::$calls->serve();
        self::leave(0);
    }

    public static function failed(\Throwable $error): void
    {
        if ($error instanceof LoadFailure) {
            self::cannotServe($error->fields);
        } else {
            $fields = ['type' => 'failed', 'code' => 'HANDLER_FAILED_TO_LOAD', 'message' => Handler::explain($error)];
            self::cannotServe($fields + ['stack' => Failure::stack($error)]);
        }
    }

    private static function cannotServe(array $fields): void
    {
        Output::finish();
        if (self::$isFirst) {
            self::$wire->send(Failure::line($fields));
        } else {
            fwrite(STDERR, "the function cannot be loaded again: {$fields['message']}\n");
        }
        self::leave(1);
    }

    private static function leave(int $code): void
    {
        self::$leaving = true;
        exit($code);
    }

    /**
     * PHP's callback for its end. Where that is not ours (exit in a handler, or an error that is fatal to PHP), the call
     * is answered, and a fresh worker takes the place of this one: same process, same wire.
     */
    public static function ended(): void
    {
        if (self::$leaving || self::$wire->gone) {
            return;
        }
        ini_set('memory_limit', '-1'); // it may be what was at its end
        $fatal = Failure::fatal();
        if (self::$calls === null) {
            $message = $fatal ?? 'the file calls exit while it loads: it is loaded once and must not end the process';
            self::cannotServe(['type' => 'failed', 'code' => 'HANDLER_FAILED_TO_LOAD', 'message' => $message . Handler::cure($message)]);
        }
        $id = Output::$call ?: self::$wire->incoming;
        Output::finish();
        Output::$call = 0;
        $stopping = self::$calls->drain();
        if ($id !== 0) {
            $message = $fatal ?? 'the handler called exit, which ends its process: return what is to be sent';
            self::$wire->send(Failure::line(['type' => 'error', 'id' => $id, 'message' => $message]));
        }
        // Behind what the function has registered for the end.
        register_shutdown_function($stopping ? static fn () => self::leave(0) : [self::class, 'beginAgain']);
    }

    /** The function is loaded anew, in this process: what it held, and what it left behind, is gone. */
    public static function beginAgain(): void
    {
        if (self::$wire->gone) {
            return;
        }
        Output::finish();
        $libc = self::$wire->libc;
        self::$wire->handOn();
        foreach (scandir(is_dir('/proc/self/fd') ? '/proc/self/fd' : '/dev/fd') as $fd) {
            if ((int) $fd > 3) {
                $libc->close((int) $fd); // connections and locks end with the worker that had them
            }
        }
        chdir(self::$folder);
        set_time_limit(0); // exec keeps timers, and the next program would die of their signals
        $libc->alarm(0);
        $libc->execve(PHP_BINARY, Libc::words($libc, self::command()), Libc::words($libc, self::$env));
        $libc->_exit(1);
    }

    /** @return string[] how this process was started, and the word that it is not the first */
    private static function command(): array
    {
        $text = @file_get_contents('/proc/self/cmdline');
        $words = $text ? explode("\0", rtrim($text, "\0")) : ['php', $_SERVER['SCRIPT_FILENAME']];
        if (end($words) !== self::AGAIN) {
            $words[] = self::AGAIN;
        }
        return $words;
    }

    /**
     * A second process that does nothing but wait for the end of the wire (PROTOCOL 1.3): the first one cannot see it
     * while a call runs. It ends when the first one does.
     */
    private static function watch(): void
    {
        // clone without a signal for its end: a function that waits for its children does not find this one.
        $clone = ['x86_64' => 56, 'aarch64' => 220][php_uname('m')] ?? null;
        if (!Libc::isLinux() || $clone === null) {
            return;
        }
        $libc = self::$wire->libc;
        $worker = getmypid();
        if ($libc->syscall($clone, 0, 0, 0, 0, 0) !== 0) {
            return;
        }
        $libc->prctl(Libc::PR_SET_PDEATHSIG, Libc::SIGKILL);
        if ($libc->getppid() === $worker) {
            $wire = $libc->new('struct pollfd');
            $wire->fd = self::$wire->fd;
            $wire->events = Libc::POLLRDHUP;
            while ($libc->poll(\FFI::addr($wire), 1, -1) < 1) {
            }
            $libc->kill($worker, Libc::SIGKILL);
        }
        $libc->_exit(0);
    }

    private static function refuse(string $why): void
    {
        $wire = @fopen('php://fd/3', 'w');
        if ($wire !== false) {
            fwrite($wire, json_encode(['type' => 'failed', 'code' => 'HANDLER_FAILED_TO_LOAD', 'message' => $why]) . "\n");
        }
        self::$leaving = true;
        exit(1);
    }
}
