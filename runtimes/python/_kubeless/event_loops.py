"""Makes asyncio.get_event_loop() work in plain functions on every thread, as it did in Kubeless's
one process per call.
"""


def give_loops(asyncio):
    """Makes the event loop policy create a loop where the thread has none, or a closed one."""
    # The public function warns from Python 3.14 on.
    policy = getattr(getattr(asyncio, 'events', None), '_get_event_loop_policy', asyncio.get_event_loop_policy)()
    if getattr(policy, 'gives_loops', False):
        return
    get_event_loop = policy.get_event_loop

    def get_or_make():
        try:
            loop = get_event_loop()
            if not loop.is_closed():
                return loop
        except RuntimeError:
            pass
        loop = policy.new_event_loop()
        policy.set_event_loop(loop)
        return loop

    policy.get_event_loop = get_or_make
    policy.gives_loops = True
