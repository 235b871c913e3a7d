"""Needs requirements.txt beside it."""

import humanize


def deps(event, context):
    return humanize.naturalsize(len(event['data']))
