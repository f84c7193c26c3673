"""Runs work in threads of its own."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


async def run_in(threads: ThreadPoolExecutor, work: Callable[[], _T]) -> _T:
    """Run ``work`` as ``asyncio.to_thread`` would, but not in the threads that buttons need."""
    # discord.py keeps its session in the context.
    call = functools.partial(contextvars.copy_context().run, work)
    return await asyncio.get_running_loop().run_in_executor(threads, call)
