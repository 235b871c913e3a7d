<?php

namespace Kubeless\Worker;

use Psr\Http\Message\ResponseInterface;

/** `$event->extensions`: the request and the response in it are made when somebody asks for them. */
final class Extensions extends \stdClass
{
    // CloudEvents have no capitals in the names of their attributes.
    private array $wholeCall;
    private bool $isAnswered = false;

    /** @param array{0: array<string, mixed>, 1: string, 2: string} $call fields, head and body */
    public function __construct(array $call)
    {
        $this->wholeCall = $call;
        foreach ($call[0]['extensions'] ?? [] as $name => $value) {
            if ($name !== '' && !isset($this->$name)) {
                $this->$name = $value;
            }
        }
    }

    public function __get(string $name)
    {
        if ($name === 'request' || $name === 'response') {
            require_once __DIR__ . '/Psr7.php'; // what nobody asks for is not compiled
        }
        if ($name === 'request') {
            return $this->request = Psr7::request(...$this->wholeCall);
        }
        if ($name === 'response') {
            $this->isAnswered = true;
            return $this->response = Psr7::response();
        }
        trigger_error("Undefined property: extensions->$name", E_USER_WARNING);
        return null;
    }

    public function __set(string $name, $value): void
    {
        $this->isAnswered = $this->isAnswered || $name === 'response';
        $this->$name = $value;
    }

    public function __isset(string $name): bool
    {
        return $name === 'request' || $name === 'response';
    }

    /** What var_dump() shows: what is there, and not how it comes to be there. */
    public function __debugInfo(): array
    {
        $shown = get_object_vars($this);
        unset($shown['wholeCall'], $shown['isAnswered']);
        return $shown;
    }

    /** The response, if the function has had it in its hands. */
    public function answered(): ?ResponseInterface
    {
        if (!$this->isAnswered || !isset($this->response)) {
            return null;
        }
        if ($this->response instanceof ResponseInterface) {
            return $this->response;
        }
        $what = Failure::kindOf($this->response);
        throw new CallError('RESULT_INVALID', "the handler set \$event->extensions->response to $what: a PSR-7 response is what can be sent");
    }
}
