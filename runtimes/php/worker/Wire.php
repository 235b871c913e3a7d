<?php

namespace Kubeless\Worker;

/** Reads and writes frames (PROTOCOL.md, chapters 1 and 2). */
final class Wire
{
    private const MAX_LINE_BYTES = 1 << 20; // PROTOCOL 2.3
    private const MAX_BODY_BYTES = 1 << 30;
    private const READ_BYTES = 1 << 16;

    /** @var resource|\Socket */
    private $socket;
    /** @var bool the function forked this process: the wire belongs to the parent */
    private $isForeign = false;
    /** @var string bytes that were read and not yet cut into frames */
    private $rest = '';
    /** @var bool */
    private $isSending = false;
    /** @var string frames that a signal handler printed while another frame was being sent */
    private $deferred = '';

    private function __construct($socket)
    {
        $this->socket = $socket;
        socket_set_block($socket);
    }

    /**
     * Takes the wire from descriptor 0. PHP cannot set close-on-exec, but a descriptor received
     * over a socket can have it (recvmsg(2), MSG_CMSG_CLOEXEC). So the worker sends the wire to
     * itself, keeps the copy, and closes the original. macOS lacks that flag: there, programs that
     * a function starts inherit the wire.
     */
    public static function take(): self
    {
        $wire = self::duplicate(STDIN, \defined('MSG_CMSG_CLOEXEC') ? MSG_CMSG_CLOEXEC : 0);
        if (!$wire instanceof \Socket && !(\is_resource($wire) && get_resource_type($wire) === 'Socket')) {
            fwrite(STDERR, "The loader starts worker.php, with a socket. Use: kubeless-loader run FILE\n");
            exit(1);
        }
        fclose(STDIN);
        Process::$stdin = fopen('/dev/null', 'r'); // becomes descriptor 0 (PROTOCOL 1.4)
        return new self($wire);
    }

    /** Makes the wire descriptor 0 again, inheritable, for the program that replaces this one. */
    public function handOn(): void
    {
        // As a stream: socket_sendmsg() of PHP 8.2 loses the descriptor of a Socket object (EBADF).
        Process::$stdin = self::duplicate(socket_export_stream($this->socket), 0, Process::$stdin);
    }

    /**
     * Returns a copy of a stream's descriptor. It gets the number of $place, which is closed for
     * it.
     * @param resource $stream
     * @param resource|null $place null: any number
     * @return resource|\Socket
     */
    private static function duplicate($stream, int $flags, $place = null)
    {
        $pair = [];
        socket_create_pair(AF_UNIX, SOCK_DGRAM, 0, $pair);
        socket_sendmsg($pair[0], ['iov' => ['x'], 'control' => [['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => [$stream]]]]);
        $message = ['name' => [], 'buffer_size' => 1, 'controllen' => socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1)];
        if ($place !== null) {
            fclose($place); // its number is the lowest free one now
        }
        socket_recvmsg($pair[1], $message, $flags);
        return $message['control'][0]['data'][0] ?? null;
    }

    /** Closes the wire in a process that the function forked. */
    public function leaveToParent(): void
    {
        if (!$this->isForeign) {
            $this->isForeign = true;
            socket_close($this->socket);
        }
    }

    // ---- out

    /** @param string $frames whole frames, sent with one system call */
    public function send(string $frames): void
    {
        if ($this->isSending) { // a signal handler of the function printed inside this method
            $this->deferred .= $frames;
            return;
        }
        $this->isSending = true;
        do {
            $this->write($frames);
            $frames = $this->deferred;
            $this->deferred = '';
        } while ($frames !== '');
        $this->isSending = false;
    }

    private function write(string $data): void
    {
        if ($this->isForeign) {
            return;
        }
        $length = \strlen($data);
        while (($sent = @socket_send($this->socket, $data, $length, 0)) !== $length) {
            if ($sent === false) {
                if (socket_last_error($this->socket) !== SOCKET_EINTR) {
                    $this->lost();
                }
            } else {
                $data = substr($data, $sent);
                $length -= $sent;
            }
        }
    }

    // ---- in

    /** Waits until bytes arrive, and reads them. */
    public function wait(): void
    {
        $this->rest .= $this->receive(self::READ_BYTES, 0);
    }

    /** Reads everything that has arrived, without waiting. */
    public function poll(): void
    {
        do {
            $data = $this->receive(self::READ_BYTES, MSG_DONTWAIT);
            $this->rest .= $data;
        } while (\strlen($data) === self::READ_BYTES);
    }

    /** Returns at least one byte, or '' if $flags has MSG_DONTWAIT and nothing has arrived. */
    private function receive(int $maxBytes, int $flags): string
    {
        $data = '';
        for (;;) {
            $count = @socket_recv($this->socket, $data, $maxBytes, $flags);
            if ($count > 0) {
                return $data;
            }
            if ($count === 0) {
                $this->lost(); // PROTOCOL 1.3
            }
            $error = socket_last_error($this->socket);
            if ($error !== SOCKET_EINTR) {
                if ($error === SOCKET_EAGAIN && ($flags & MSG_DONTWAIT)) {
                    return '';
                }
                $this->lost();
            }
        }
    }

    /** Returns whether bytes were read that do not make a whole frame yet. */
    public function holdsBytes(): bool
    {
        return $this->rest !== '';
    }

    /**
     * Returns the next frame (fields, head, body), or null if none was read whole. The body is null
     * if it does not fit into memory.
     * @return array{0: array<string, mixed>, 1: string, 2: string|null}|null
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
            if (\strlen($rest) > self::MAX_LINE_BYTES) {
                $this->broken('a line over 1 MiB');
            }
            return null;
        }
        $fields = json_decode(substr($rest, 0, $lineEnd), true);
        if (!isset($fields['type']) || !\is_array($fields)) {
            $this->broken(substr($rest, 0, $lineEnd));
        }
        $head = $fields['head'] ?? 0;
        $body = $fields['body'] ?? 0;
        if (!\is_int($head) || !\is_int($body) || $head < 0 || $body < 0 || $head > self::MAX_LINE_BYTES || $body > self::MAX_BODY_BYTES) {
            $this->broken(substr($rest, 0, $lineEnd));
        }
        $headAt = $lineEnd + 1;
        $end = $headAt + $head + $body;
        $length = \strlen($rest);
        if ($end > $length) {
            return $this->readOn($fields, substr($rest, $headAt), $head, $body);
        }
        $this->rest = $end === $length ? '' : substr($rest, $end);
        return [$fields, $head === 0 ? '' : substr($rest, $headAt, $head), $body === 0 ? '' : substr($rest, $headAt + $head, $body)];
    }

    /** Waits for the end of a frame. $start is what was read behind its line. */
    private function readOn(array $fields, string $start, int $head, int $body): array
    {
        $this->rest = '';
        while (\strlen($start) < $head) {
            $start .= $this->receive($head - \strlen($start), MSG_WAITALL);
        }
        $headText = substr($start, 0, $head);
        $data = (string) substr($start, $head);
        $unread = $body - \strlen($data);
        $fits = Memory::hasRoomFor(2 * $unread); // while it is joined with the part that was read before
        while ($unread > 0) {
            $piece = $this->receive($fits ? $unread : min($unread, self::READ_BYTES), MSG_WAITALL);
            $unread -= \strlen($piece);
            if ($fits) {
                $data = $data === '' ? $piece : $data . $piece;
            }
        }
        return [$fields, $headText, $fits ? $data : null];
    }

    private function lost(): void
    {
        $this->isForeign = true; // nothing more can be sent
        Process::leave(0);
    }

    private function broken(string $what): void
    {
        fwrite(STDERR, 'The loader sent a broken frame: ' . substr($what, 0, 200) . "\n");
        Process::leave(70); // PROTOCOL 2.7
    }
}
