<?php

function hello($event, $context)
{
    return 'hello world';
}
