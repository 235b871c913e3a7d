def data(event, context):
    """Returns the request body. A JSON body is parsed, every other body is bytes."""
    return event['data']
