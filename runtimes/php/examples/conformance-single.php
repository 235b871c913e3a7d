<?php

// The only handler of its file: a worker finds it without being told its name.

function single($event, $context)
{
    return 'the only one';
}
