<?php

function refuse($event, $context)
{
    throw new RuntimeException('no such order');
}
