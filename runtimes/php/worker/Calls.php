<?php

namespace Kubeless\Worker;

/** Runs the calls, one after the other (PROTOCOL.md, chapters 4 to 6). */
final class Calls
{
    /**
     * Calls that the loader may send before earlier ones are answered (PROTOCOL 5.5): fewer
     * switches between the two processes.
     */
    public const AHEAD = 32;

    /** @var Wire */
    private $wire;
    /** @var callable */
    private $handler;
    /** @var \stdClass */
    private $context;
    /** @var bool the function can read superglobals */
    private $fillsSuperglobals;
    /** @var bool `stop` has arrived */
    private $isStopping = false;
    /** @var \SplQueue calls that have arrived and have not begun, the earliest first */
    private $waiting;

    public function __construct(Wire $wire, callable $handler, string $name)
    {
        $this->wire = $wire;
        $this->handler = $handler;
        $this->waiting = new \SplQueue();
        $this->fillsSuperglobals = Source::readsRequest(Handler::file());
        $this->context = (object) [
            'function-name' => $name,
            'timeout' => getenv('FUNC_TIMEOUT') ?: '180',
            'runtime' => (string) getenv('FUNC_RUNTIME'),
            'memory-limit' => (string) getenv('FUNC_MEMORY_LIMIT'),
        ];
    }

    /** Returns when `stop` has arrived and all calls are answered. */
    public function serve(): void
    {
        while (($call = $this->nextCall()) !== null) {
            $isSpent = $this->run($call[0]['id'], $call);
            $call = null; // frees the body before the next one is read
            if ($isSpent || Memory::isFull()) {
                if ($this->giveAllBack()) {
                    return;
                }
                Process::startAgain();
            }
        }
    }

    private function nextCall(): ?array
    {
        if (!$this->waiting->isEmpty()) {
            $this->wire->poll(); // PROTOCOL 5.5: the loader may have withdrawn them during the last call
        }
        for (;;) {
            while (($frame = $this->wire->next()) !== null) {
                $this->take($frame, 0);
            }
            if (!$this->waiting->isEmpty()) {
                return $this->waiting->dequeue();
            }
            if ($this->isStopping) {
                return null;
            }
            $this->wire->wait();
        }
    }

    /**
     * Gives back all calls that have not begun, and reads a partly read frame to its end: a new
     * worker must find the start of a frame. Returns whether `stop` has arrived.
     */
    public function giveAllBack(): bool
    {
        $this->giveBack();
        while ($this->wire->holdsBytes()) {
            while (($frame = $this->wire->next()) !== null) {
                $this->take($frame, 0);
            }
            $this->giveBack();
            if ($this->wire->holdsBytes()) {
                $this->wire->wait();
            }
        }
        return $this->isStopping;
    }

    private function giveBack(): void
    {
        $frames = '';
        while (!$this->waiting->isEmpty()) {
            $frames .= '{"type":"withdrawn","id":' . $this->waiting->dequeue()[0]['id'] . "}\n";
        }
        if ($frames !== '') {
            $this->wire->send($frames);
        }
    }

    /** Runs a call and answers it. Returns whether the process must start again. */
    private function run(int $id, array $call): bool
    {
        Output::$call = $id;
        Output::take();
        try {
            if ($call[2] === null) {
                $size = $call[0]['body'];
                $why = "the body of $size bytes does not fit twice into the memory that PHP has left";
                throw new CallError('FUNCTION_THREW', "$why: raise the memory limit");
            }
            $data = $call[2];
            if (isset($call[0]['envelope'])) { // PROTOCOL 4.11
                $data = substr($call[2], 0, $call[0]['data'] ?? 0);
                $call[2] = substr($call[2], \strlen($data));
            }
            if ($this->fillsSuperglobals) {
                Superglobals::fill($call);
            }
            $extensions = new Extensions($call);
            $event = Event::of($call[0], $data, $extensions);
            $answer = Result::answer($id, ($this->handler)($event, clone $this->context), $extensions);
            if (!\is_string($answer)) {
                $answer = $this->stream($id, $answer);
            }
        } catch (\Throwable $error) {
            if (Process::isChild()) {
                fwrite(STDERR, Errors::stack($error) . "\n");
                exit(1);
            }
            $answer = Errors::frame($id, $error);
        }
        if (Process::isChild()) { // a forked child that returns from the handler ends, as at the end of a script
            exit(0);
        }
        Output::finish();
        Output::$call = 0;
        if ($this->fillsSuperglobals) {
            Superglobals::clear();
        }
        $this->wire->send($answer);
        return Leftovers::putBack();
    }

    /** Sends a stream. Returns its last frame. */
    private function stream(int $id, Stream $stream): string
    {
        $head = null;
        foreach ($stream->pieces as $piece) {
            foreach (Result::parts(Result::piece($piece)) as $part) {
                $this->flow($id);
                $head = $head ?? self::head($id, $stream, $part);
                $this->wire->send($head . '{"type":"chunk","id":' . $id . ',"body":' . \strlen($part) . "}\n" . $part);
                $head = '';
            }
        }
        return ($head ?? self::head($id, $stream, '')) . '{"type":"end","id":' . $id . "}\n";
    }

    private static function head(int $id, Stream $stream, string $first): string
    {
        $head = $stream->head . ($stream->isUntyped ? Result::sniff($first) : '');
        return '{"type":"head","id":' . $id . ',"status":' . $stream->status . ',"head":' . \strlen($head) . "}\n" . $head;
    }

    /** Processes control frames, and waits while the call is paused. */
    private function flow(int $id): void
    {
        $this->wire->poll();
        $paused = false;
        for (;;) {
            while (($frame = $this->wire->next()) !== null) {
                $paused = $this->take($frame, $id) ?? $paused;
            }
            if (!$paused) {
                return;
            }
            $this->wire->wait();
        }
    }

    /**
     * Processes a frame. Returns true for `pause` and false for `resume` of the running call $id
     * (0: none runs), else null.
     */
    private function take(array $frame, int $id): ?bool
    {
        switch ($frame[0]['type']) {
            case 'call':
                $this->waiting->enqueue($frame);
                return null;
            case 'withdraw':
                $this->giveBack();
                return null;
            case 'stop':
                $this->isStopping = true;
                return null;
            case 'pause':
            case 'resume':
                return ($frame[0]['id'] ?? 0) === $id ? $frame[0]['type'] === 'pause' : null;
            case 'cancel':
                if ($id !== 0 && ($frame[0]['id'] ?? 0) === $id) {
                    throw new CallError('CANCELLED', 'cancelled while it streamed');
                }
        }
        return null; // `cancel` of a call that does not run is ignored
    }
}
