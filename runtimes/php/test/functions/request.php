<?php

function h($event, $context)
{
    $request = $event->extensions->request;
    $body = (string) $request->getBody();
    if ($body !== file_get_contents('php://input') || json_decode($body, true) !== $request->getParsedBody()) {
        return 'three bodies';
    }
    return [
        'data' => $event->data,
        'type' => $request->getHeaderLine('Content-Type'),
        'body' => $body,
        'length' => $request->getHeaderLine('Content-Length'),
    ];
}
