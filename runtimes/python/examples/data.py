def data(event, context):
    """Gives back what it was sent: JSON arrives parsed, everything else as bytes."""
    return event['data']
