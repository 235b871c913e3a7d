"""The function of test/chaos, whose README describes it."""

import os
import signal
import subprocess
import time

VERSION = 'one'


def notes(event, context):
    id, action, number = event['data'].split(b'\n', 1)[0].decode().split()
    line = f'{id} {VERSION}\n'
    with open(f'{os.environ["FAULTS_NOTES"]}/{os.getpid()}', 'a') as file:
        file.write(line)
    if action == 'echo':
        return event['data']
    if action == 'sleep':
        time.sleep(int(number) / 1000)
    elif action == 'stream':
        return (line for _ in range(int(number)))
    elif action == 'raise':
        raise ValueError(id)
    elif action == 'die':
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == 'hoard':
        return str(len(bytearray(1 << 50)))
    elif action == 'print':
        os.write(1, (b'{"\xff\0\n' * int(number))[: int(number)])
    elif action == 'spawn':
        subprocess.Popen(['sleep', '30'])
    elif action == 'wire':
        for fd in sockets():
            os.write(fd, b'no frame\n')
    elif action == 'answer':
        return line * int(number)
    return line


def sockets():
    for fd in os.listdir('/proc/self/fd'):
        try:
            if int(fd) > 2 and os.readlink(f'/proc/self/fd/{fd}').startswith('socket:'):
                yield int(fd)
        except OSError:
            pass  # It was only open for listdir.
