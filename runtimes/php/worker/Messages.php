<?php

namespace Kubeless\Worker;

// The methods that requests and responses of Slim 3 had beyond PSR-7: Kubeless's own image gave
// functions those.

trait SlimRequest
{
    public function isMethod($method): bool
    {
        return $this->getMethod() === $method;
    }

    public function isGet(): bool
    {
        return $this->isMethod('GET');
    }

    public function isPost(): bool
    {
        return $this->isMethod('POST');
    }

    public function isPut(): bool
    {
        return $this->isMethod('PUT');
    }

    public function isPatch(): bool
    {
        return $this->isMethod('PATCH');
    }

    public function isDelete(): bool
    {
        return $this->isMethod('DELETE');
    }

    public function isHead(): bool
    {
        return $this->isMethod('HEAD');
    }

    public function isOptions(): bool
    {
        return $this->isMethod('OPTIONS');
    }

    public function isXhr(): bool
    {
        return $this->getHeaderLine('X-Requested-With') === 'XMLHttpRequest';
    }

    public function getOriginalMethod(): string
    {
        return $this->getMethod();
    }

    public function getContentType(): ?string
    {
        return $this->getHeader('Content-Type')[0] ?? null;
    }

    public function getMediaType(): ?string
    {
        $type = $this->getContentType();
        return $type === null ? null : strtolower(trim(explode(';', $type)[0]));
    }

    public function getMediaTypeParams(): array
    {
        $found = [];
        foreach (\array_slice(explode(';', (string) $this->getContentType()), 1) as $pair) {
            $parts = explode('=', trim($pair), 2);
            $found[strtolower($parts[0])] = $parts[1] ?? '';
        }
        return $found;
    }

    public function getContentCharset(): ?string
    {
        return $this->getMediaTypeParams()['charset'] ?? null;
    }

    public function getContentLength(): ?int
    {
        $length = $this->getHeader('Content-Length')[0] ?? null;
        return $length === null ? null : (int) $length;
    }

    /** Returns a field of the parsed body, else of the query, else $default. */
    public function getParam($key, $default = null)
    {
        return $this->getParsedBodyParam($key) ?? $this->getQueryParam($key, $default);
    }

    public function getParams(): array
    {
        return (array) $this->getParsedBody() + $this->getQueryParams();
    }

    public function getQueryParam($key, $default = null)
    {
        return $this->getQueryParams()[$key] ?? $default;
    }

    public function getParsedBodyParam($key, $default = null)
    {
        return ((array) $this->getParsedBody())[$key] ?? $default;
    }

    public function getCookieParam($key, $default = null)
    {
        return $this->getCookieParams()[$key] ?? $default;
    }

    public function getServerParam($key, $default = null)
    {
        return $this->getServerParams()[$key] ?? $default;
    }

    public function withAttributes(array $attributes)
    {
        $request = $this;
        foreach (array_diff_key($this->getAttributes(), $attributes) as $name => $value) {
            $request = $request->withoutAttribute((string) $name);
        }
        foreach ($attributes as $name => $value) {
            $request = $request->withAttribute((string) $name, $value);
        }
        return $request;
    }
}

trait SlimResponse
{
    /** Appends to the body. */
    public function write($data)
    {
        $this->getBody()->write((string) $data);
        return $this;
    }

    /** Returns a response with this value as JSON in place of the body. */
    public function withJson($data, $status = null, $encodingOptions = 0)
    {
        $json = json_encode($data, $encodingOptions);
        if ($json === false) {
            throw new \RuntimeException(json_last_error_msg(), json_last_error());
        }
        $headers = $this->withHeader('Content-Type', 'application/json;charset=utf-8')->getHeaders();
        return new self($status ?? $this->getStatusCode(), $headers, $json, $this->getProtocolVersion());
    }

    public function withRedirect($url, $status = null)
    {
        $response = $this->withHeader('Location', (string) $url);
        $isDefault = $status === null && $this->getStatusCode() === 200;
        return $isDefault ? $response->withStatus(302) : ($status === null ? $response : $response->withStatus($status));
    }

    public function isEmpty(): bool
    {
        return \in_array($this->getStatusCode(), [204, 205, 304], true);
    }

    public function isOk(): bool
    {
        return $this->getStatusCode() === 200;
    }

    public function isInformational(): bool
    {
        return intdiv($this->getStatusCode(), 100) === 1;
    }

    public function isSuccessful(): bool
    {
        return intdiv($this->getStatusCode(), 100) === 2;
    }

    public function isRedirect(): bool
    {
        return \in_array($this->getStatusCode(), [301, 302, 303, 307, 308], true);
    }

    public function isRedirection(): bool
    {
        return intdiv($this->getStatusCode(), 100) === 3;
    }

    public function isForbidden(): bool
    {
        return $this->getStatusCode() === 403;
    }

    public function isNotFound(): bool
    {
        return $this->getStatusCode() === 404;
    }

    public function isClientError(): bool
    {
        return intdiv($this->getStatusCode(), 100) === 4;
    }

    public function isServerError(): bool
    {
        return intdiv($this->getStatusCode(), 100) === 5;
    }
}

// Psr7 has named the library's classes BaseRequest and BaseResponse before it loads this file.

final class Request extends BaseRequest
{
    use SlimRequest;
}

final class Response extends BaseResponse
{
    use SlimResponse;
}
