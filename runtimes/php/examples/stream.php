<?php

/** Each piece is sent as it is made; while the caller reads slower, the loop waits at its yield. */
function stream($event, $context)
{
    for ($count = 0; $count < 10; $count++) {
        yield "$count\n";
        usleep(100000);
    }
}
