import words


def helped(event, context):
    return words.WORD
