<?php

// A file that cannot be loaded: its line 17, which is the same in every language, is not PHP.
//
// What a worker says about it must name this file and that line.

function echoes($event, $context)
{
    return $event->data;
}

function raises($event, $context)
{
    throw new RuntimeException($event->data);
}

this line is not PHP
