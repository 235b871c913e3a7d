def refuse(event, context):
    raise LookupError('no such order')
