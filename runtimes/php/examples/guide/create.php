<?php

function create($event, $context)
{
    $response = $event->extensions->response;
    $event->extensions->response = $response->withStatus(201)->withHeader('Location', '/orders/7');
    return "created\n";
}
