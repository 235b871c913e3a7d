from bottle import HTTPResponse


def create(event, context):
    return HTTPResponse('created\n', 201, {'Location': '/orders/7'})
