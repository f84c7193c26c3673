"""Every error that qabot raises on purpose, with its exit code.

::

    QabotError                    2   the base of all; its text is one line for a person
    ├── UsageError                2   a request that cannot be carried out as it stands
    │   ├── SettingsError         2   qabot.toml, a QABOT_* variable or a flag
    │   ├── SourceError           2   a source that is missing, empty or unreadable
    │   ├── QuestionError         2   a question that is empty or too long
    │   └── FilterError           2   a filter that no article in the index could pass
    ├── ArticleError              2   one unreadable document: it is skipped, the rest goes on
    ├── EncoderError              2   an embedding model that cannot be found, unpacked or loaded
    ├── StorageError              2   the index folder cannot be written (full disk, permissions)
    ├── RebuildError              2   a rebuild in a process of its own failed
    ├── StateError                2   the bot's state file is damaged, too new or not writable
    ├── BotError                  2   the bot cannot start: token, intent or network
    ├── UnusableIndexError        3   no index that can answer
    │   ├── NoIndexError          3   no index was built yet
    │   ├── DamagedIndexError     3   a file of the index is missing, truncated or changed
    │   ├── UnreachableIndexError 3   the server that holds the index does not answer
    │   └── IndexMismatchError    3   built by another model, or in another format
    └── RebuildRunningError       4   another rebuild holds the lock

Each message says what is wrong, where, and what to do about it.
"""

from __future__ import annotations


class QabotError(Exception):
    """The base of every error raised on purpose; ``str(error)`` is one line for a person."""

    exit_code = 2


class UsageError(QabotError):
    """A request that cannot be carried out as it stands."""


class SettingsError(UsageError):
    """A setting that is unknown or has an invalid value."""


class SourceError(UsageError):
    """A source that does not exist, cannot be read or holds no article."""


class QuestionError(UsageError):
    """A question that is empty or too long."""


class FilterError(UsageError):
    """A filter with an invalid date, or a value that the index does not hold."""


class ArticleError(QabotError):
    """A document that cannot be read as an article; it affects no other document."""


class EncoderError(QabotError):
    """An embedding model that cannot be found, unpacked or loaded."""


class StorageError(QabotError):
    """The index folder cannot be written; the live generation is whole."""


class RebuildError(QabotError):
    """A rebuild in a process of its own failed; the index is whole."""


class StateError(QabotError):
    """The bot's state file is damaged, from a newer qabot, or cannot be written."""


class BotError(QabotError):
    """The Discord bot cannot start: wrong token, refused intent, or Discord is unreachable."""


class UnusableIndexError(QabotError):
    """There is no index that can answer."""

    exit_code = 3


class NoIndexError(UnusableIndexError):
    """No index has been built in this folder."""


class DamagedIndexError(UnusableIndexError):
    """A file of the index is missing, truncated or does not match its checksum."""


class UnreachableIndexError(UnusableIndexError):
    """The server that holds the index does not answer as it should."""


class IndexMismatchError(UnusableIndexError):
    """The index was built by another model or in another format."""


class RebuildRunningError(QabotError):
    """Another rebuild of the same index is running."""

    exit_code = 4
