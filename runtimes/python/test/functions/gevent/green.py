from gevent import monkey

monkey.patch_all()

import time


def handler(event, context):
    time.sleep(float(event['data'] or 0))
    print('slept')
    return event['data']
