import os


def env(event, context):
    return os.environ.get(event['data'].decode(), 'not set')
