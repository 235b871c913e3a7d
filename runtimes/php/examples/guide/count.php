<?php

function count_up($event, $context)
{
    foreach ([1, 2, 3] as $number) {
        yield "$number\n";
        usleep(100000); // microseconds
    }
}
