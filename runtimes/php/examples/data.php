<?php

/**
 * Gives back what it was sent: JSON arrives as objects and arrays, everything else as a string of
 * its bytes.
 */
function data($event, $context)
{
    return $event->data;
}
