"""A worker that is killed, for tests of sweeps."""

__all__ = ["dying_once"]


def dying_once(flag):
    """What makes the worker in which it is run die at the first test of a second epoch.

    Only one worker does, the one that makes the file `flag`.
    """
    def die_once():
        import os
        import signal

        from tritgrad.host.run.training import Trainer
        whole = Trainer._test_epoch

        def dying(self, number, epoch):
            if number == 1:
                try:
                    os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    pass
                else:
                    os.kill(os.getpid(), signal.SIGKILL)
            whole(self, number, epoch)
        Trainer._test_epoch = dying
    return die_once
