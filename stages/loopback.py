"""Where the project's own servers listen: on this machine, and nowhere else."""

import socket

from stages.errors import InputError

HOST = "127.0.0.1"


def listen(port: int, remedy: str = "Name another with --port, or stop what uses it.") -> socket.socket:
    """A listening socket on the loopback address, any free one for port 0. Raises InputError with `remedy` for one that is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise InputError(
            f"The port {port} of {HOST} cannot be had: {getattr(error, 'strerror', None) or error}.",
            allowed="a free port from 1024 to 65535; 0 for any free one",
            remedy=remedy,
        ) from error
    return listener
