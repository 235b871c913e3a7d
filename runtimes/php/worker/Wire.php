<?php

namespace Kubeless\Worker;

/** The wire: frames in, frames out of one socket (PROTOCOL.md, chapters 1 and 2). */
final class Wire
{
    private const GIVEN = 3; // PROTOCOL 1.1
    private const READ = 1 << 18; // bytes: more than a socket holds as a rule
    private const LINE_MAX = 1 << 20; // bytes, PROTOCOL 2.3
    private const BODY_MAX = 1 << 30; // bytes

    /** This process was forked by the function: the wire is its parent's. */
    public bool $gone = false;

    /** the call that is being read, if its body is large */
    public int $incoming = 0;

    public \FFI $libc;
    public int $fd;
    private \FFI\CData $space;
    private string $rest = ''; // the beginning of a frame, or several
    private bool $sending = false;
    private string $late = '';
    private int $noSignal;
    private int $dontWait;

    /** Takes the wire and moves it to a high descriptor: a function may well close 3, or write to it, by number. */
    public function __construct()
    {
        $this->libc = $libc = Libc::open();
        if ($libc->send(self::GIVEN, '', 0, 0) !== 0) {
            fwrite(STDERR, "worker.php is started by the loader, with a socket at descriptor 3: use `kubeless-loader run FILE`\n");
            exit(1);
        }
        $linux = Libc::isLinux();
        $this->noSignal = $linux ? 0x4000 : 0;
        $this->dontWait = $linux ? 0x40 : 0x80;
        // Close-on-exec, which is all that keeps it from what exec() or proc_open() starts.
        $this->fd = $libc->fcntl(self::GIVEN, $linux ? 1030 : 67, 64); // F_DUPFD_CLOEXEC
        $flags = $libc->fcntl($this->fd, Libc::F_GETFL);
        $libc->fcntl($this->fd, Libc::F_SETFL, $flags & ~($linux ? 0x800 : 0x4)); // not O_NONBLOCK
        $nothing = $libc->open('/dev/null', Libc::O_RDWR);
        $libc->dup2($nothing, self::GIVEN);
        $libc->fcntl(self::GIVEN, Libc::F_SETFD, Libc::FD_CLOEXEC);
        $libc->dup2($nothing, 0); // PROTOCOL 1.4, also where someone else than the loader starts the worker
        $libc->close($nothing);
        $this->space = $libc->new('char[' . self::READ . ']');
    }

    /** In a forked child (PROTOCOL 1.2). */
    public function leaveToParent(): void
    {
        $this->gone = true;
        $this->libc->close($this->fd);
    }

    /** Puts it where a worker that takes this one's place by exec finds it. */
    public function handOn(): void
    {
        $this->libc->dup2($this->fd, self::GIVEN);
    }

    // ---- out

    /** @param string $frames whole frames, sent in one write */
    public function send(string $frames): void
    {
        if ($this->sending) { // a signal handler of the function's printed in here
            $this->late .= $frames;
            return;
        }
        $this->sending = true;
        do {
            $this->write($frames);
            $frames = $this->late;
            $this->late = '';
        } while ($frames !== '');
        $this->sending = false;
    }

    private function write(string $data): void
    {
        if ($this->gone) {
            return;
        }
        $length = strlen($data);
        while (($sent = $this->libc->send($this->fd, $data, $length, $this->noSignal)) !== $length) {
            if ($sent > 0) {
                $data = substr($data, $sent);
                $length -= $sent;
            } elseif (Libc::errno($this->libc) !== Libc::EINTR) {
                $this->libc->_exit(0); // the loader is gone
            }
        }
    }

    // ---- in

    /** Waits until something has come. */
    public function wait(): void
    {
        $this->receive(0);
    }

    /** Reads all that has come, without waiting. */
    public function look(): void
    {
        $this->receive($this->dontWait);
    }

    private function receive(int $flags): void
    {
        do {
            $count = $this->libc->recv($this->fd, $this->space, self::READ, $flags);
            if ($count > 0) {
                $this->rest .= \FFI::string($this->space, $count);
                $flags = $this->dontWait; // what fills the space may have more behind it
            } elseif ($count === 0) {
                $this->libc->_exit(0); // PROTOCOL 1.3
            } elseif (($error = Libc::errno($this->libc)) !== Libc::EINTR) {
                if ($flags === $this->dontWait) {
                    return;
                }
                $this->libc->_exit(0);
            }
        } while ($count === self::READ || $count < 0);
    }

    /** Whether bytes were read that no frame has been made of yet. */
    public function holdsBytes(): bool
    {
        return $this->rest !== '';
    }

    /**
     * The next of the frames that have come, as fields, head and body; null if there is no whole one.
     * @return array{0: array<string, mixed>, 1: string, 2: string}|null
     */
    public function next(): ?array
    {
        return $this->rest === '' ? null : $this->cut();
    }

    private function cut(): ?array
    {
        $rest = $this->rest;
        $lineEnd = strpos($rest, "\n");
        if ($lineEnd === false) {
            if (strlen($rest) > self::LINE_MAX) {
                $this->broken('a line over 1 MiB');
            }
            return null;
        }
        $fields = json_decode(substr($rest, 0, $lineEnd), true);
        if (!isset($fields['type']) || !is_array($fields)) {
            $this->broken(substr($rest, 0, $lineEnd));
        }
        $head = $fields['head'] ?? 0;
        $body = $fields['body'] ?? 0;
        if (!is_int($head) || !is_int($body) || $head < 0 || $body < 0 || $head > self::LINE_MAX || $body > self::BODY_MAX) {
            $this->broken(substr($rest, 0, $lineEnd));
        }
        $headAt = $lineEnd + 1;
        $end = $headAt + $head + $body;
        $length = strlen($rest);
        if ($end > $length) {
            $this->rest = '';
            $this->incoming = $fields['type'] === 'call' ? $fields['id'] ?? 0 : 0;
            $rest = $this->readOn($rest, $headAt, $end - $headAt);
            $frame = [$fields, (string) substr($rest, 0, $head), $head === 0 ? $rest : (string) substr($rest, $head)];
            $this->incoming = 0;
            return $frame;
        }
        $this->rest = $end === $length ? '' : substr($rest, $end);
        return [$fields, $head === 0 ? '' : substr($rest, $headAt, $head), $body === 0 ? '' : substr($rest, $headAt + $head, $body)];
    }

    /** What follows `$from` in `$start`, and as much more as makes `$size` bytes. */
    private function readOn(string $start, int $from, int $size): string
    {
        $at = strlen($start) - $from;
        // Not in PHP's memory, where it would count a second time; and read whole before PHP may find that it is too much.
        $space = $this->libc->new("char[$size]", true, true);
        \FFI::memcpy($space, substr($start, $from), $at);
        while ($at < $size) {
            // Not by adding to a pointer: PHP 8.2 frees the pointer's type with each sum.
            $count = $this->libc->recv($this->fd, \FFI::addr($space[$at]), $size - $at, 0);
            if ($count > 0) {
                $at += $count;
            } elseif ($count === 0 || Libc::errno($this->libc) !== Libc::EINTR) {
                $this->libc->_exit(0);
            }
        }
        return \FFI::string($space, $size);
    }

    private function broken(string $what): void
    {
        fwrite(STDERR, 'the loader sent what is no frame: ' . substr($what, 0, 200) . "\n");
        $this->libc->_exit(70); // PROTOCOL 2.7
    }
}
