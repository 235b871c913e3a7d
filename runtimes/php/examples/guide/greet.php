<?php

function greet($event, $context)
{
    return ['hello' => $event->data->name];
}
