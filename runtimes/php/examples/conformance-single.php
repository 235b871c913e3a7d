<?php

// The only handler of its file: a worker finds it without FUNC_HANDLER.

function single($event, $context)
{
    return 'the only one';
}
