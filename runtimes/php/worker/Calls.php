<?php

namespace Kubeless\Worker;

/** The calls of one handler, one after the other (PROTOCOL.md, chapters 4 to 6). */
final class Calls
{
    /** Calls that may come before those before them are answered: fewer changes between the processes, not faster calls. */
    public const AHEAD = 32;

    private Wire $wire;
    /** @var callable */
    private $handler;
    private \stdClass $context;
    private bool $stopping = false;
    /** calls that have come and are not begun, the earliest first */
    private \SplQueue $waiting;

    public function __construct(Wire $wire, callable $handler, string $name)
    {
        $this->wire = $wire;
        $this->handler = $handler;
        $this->waiting = new \SplQueue();
        $this->context = (object) [
            'function-name' => $name,
            'timeout' => getenv('FUNC_TIMEOUT') ?: '180',
            'runtime' => (string) getenv('FUNC_RUNTIME'),
            'memory-limit' => (string) getenv('FUNC_MEMORY_LIMIT'),
        ];
    }

    /** Returns when `stop` has come and all calls are done. */
    public function serve(): void
    {
        while (($call = $this->nextCall()) !== null) {
            $this->run($call[0]['id'], $call);
            $call = null; // a body may be large, and so may the next
            if (Memory::isFull() && !$this->stopping) {
                $this->giveBack();
                if (!$this->wire->holdsBytes()) {
                    Life::beginAgain();
                }
            }
        }
    }

    private function nextCall(): ?array
    {
        if (!$this->waiting->isEmpty()) {
            $this->wire->look(); // PROTOCOL 5.5: they may have been withdrawn while the call before them ran
        }
        for (;;) {
            while (($frame = $this->wire->next()) !== null) {
                $this->heed($frame, 0);
            }
            if (!$this->waiting->isEmpty()) {
                return $this->waiting->dequeue();
            }
            if ($this->stopping) {
                return null;
            }
            $frame = null;
            $this->wire->wait();
        }
    }

    /** Gives back what is not begun, and reads a frame that has begun to its end: a worker that takes this one's place starts with a whole one. */
    public function drain(): bool
    {
        $this->giveBack();
        while ($this->wire->holdsBytes()) {
            while (($frame = $this->wire->next()) !== null) {
                $this->heed($frame, 0);
            }
            $this->giveBack();
            if ($this->wire->holdsBytes()) {
                $this->wire->wait();
            }
        }
        return $this->stopping;
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

    /** Nothing a handler raises gets past here. */
    private function run(int $id, array $call): void
    {
        Output::$call = $id;
        Output::take();
        try {
            $extensions = new Extensions($call);
            $event = self::event($call, $extensions);
            $answer = Result::answer($id, ($this->handler)($event, clone $this->context), $extensions);
            if (!is_string($answer)) {
                $answer = $this->stream($id, $answer);
            }
        } catch (\Throwable $error) {
            if ($this->wire->gone) {
                fwrite(STDERR, Failure::stack($error) . "\n");
                exit(1);
            }
            $answer = Failure::frame($id, $error);
        }
        if ($this->wire->gone) { // a child that came out of the handler ends, as a script does that has come to its end
            exit(0);
        }
        Output::finish();
        Output::$call = 0;
        $this->wire->send($answer);
        if (ini_get('max_execution_time') !== '0') {
            set_time_limit(0); // what one call allowed itself is not for the next
        }
        $_GET = $_POST = $_COOKIE = $_FILES = $_REQUEST = [];
    }

    private static function event(array $call, Extensions $extensions): \stdClass
    {
        [$fields, , $body] = $call;
        return (object) [
            'data' => isset($fields['json']) && $fields['json'] ? self::parse($body) : $body,
            'event-id' => $fields['event-id'] ?? null,
            'event-type' => $fields['event-type'] ?? null,
            'event-time' => $fields['event-time'] ?? null,
            'event-namespace' => $fields['event-namespace'] ?? null,
            'extensions' => $extensions,
        ];
    }

    private static function parse(string $body)
    {
        if ($body === '') {
            return null; // cron jobs say JSON and send nothing
        }
        $data = json_decode(strncmp($body, "\xef\xbb\xbf", 3) === 0 ? substr($body, 3) : $body);
        if ($data === null && json_last_error() !== JSON_ERROR_NONE) {
            throw new CallError('BODY_MALFORMED', 'the body is not JSON: ' . json_last_error_msg());
        }
        return $data;
    }

    /** @return string the frame that ends it */
    private function stream(int $id, Stream $stream): string
    {
        $head = '{"type":"head","id":' . $id . ',"status":' . $stream->status . ',"head":' . strlen($stream->head) . "}\n" . $stream->head;
        foreach ($stream->pieces as $piece) {
            foreach (Result::parts(Result::piece($piece)) as $part) {
                $this->flow($id);
                $this->wire->send($head . '{"type":"chunk","id":' . $id . ',"body":' . strlen($part) . "}\n" . $part);
                $head = '';
            }
        }
        return $head . '{"type":"end","id":' . $id . "}\n";
    }

    /** Looks what the loader has said meanwhile, and waits while the call is paused. */
    private function flow(int $id): void
    {
        $this->wire->look();
        $paused = false;
        for (;;) {
            while (($frame = $this->wire->next()) !== null) {
                $paused = $this->heed($frame, $id) ?? $paused;
            }
            if (!$paused) {
                return;
            }
            $this->wire->wait();
        }
    }

    /** What a frame says, and of the call that is running: true for pause, false for resume. */
    private function heed(array $frame, int $id): ?bool
    {
        switch ($frame[0]['type']) {
            case 'call':
                $this->waiting->enqueue($frame);
                return null;
            case 'withdraw':
                $this->giveBack();
                return null;
            case 'stop':
                $this->stopping = true;
                return null;
            case 'pause':
            case 'resume':
                return ($frame[0]['id'] ?? 0) === $id ? $frame[0]['type'] === 'pause' : null;
            case 'cancel':
                if ($id !== 0 && ($frame[0]['id'] ?? 0) === $id) {
                    throw new CallError('CANCELLED', 'cancelled while it streamed');
                }
        }
        return null; // cancel of a call that has been answered, or is not begun: it will be answered like any other
    }
}
