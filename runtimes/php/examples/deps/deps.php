<?php

// Needs composer.json beside it. The path has no __DIR__: what is installed may be elsewhere.
require 'vendor/autoload.php';

use Example\Sizes\Size;

function deps($event, $context)
{
    return (string) new Size(strlen($event->data));
}
