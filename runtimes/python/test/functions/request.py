import json


def h(event, context):
    request = event['extensions']['request']
    return json.dumps(
        {
            'data': event['data'],
            'type': request.content_type,
            'body': request.body.read().decode(),
            'length': str(request.content_length),
        }
    )
