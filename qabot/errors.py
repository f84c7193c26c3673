"""Every error that qabot raises on purpose, and the exit code that each one gives.

::

    QabotError                    2   base of them all; its text is one line for a person
    ├── UsageError                2   what was asked for cannot be done as asked
    │   ├── SettingsError         2   qabot.toml, a QABOT_* variable or a flag
    │   ├── SourceError           2   a source that is missing, empty or unreadable
    │   ├── QuestionError         2   a question that is empty or too long
    │   └── FilterError           2   a filter that no article of the index could pass
    ├── ArticleError              2   one document that is no article: skipped, the rest goes on
    ├── EncoderError              2   an embedding model that cannot be found, unpacked or loaded
    ├── StorageError              2   the index folder cannot be written (full disk, permissions)
    ├── RebuildError              2   a rebuild in a process of its own came to nothing
    ├── StateError                2   the bot's state file is damaged, too new or cannot be written
    ├── BotError                  2   the bot cannot start: its token, an intent, or no network
    ├── UnusableIndexError        3   no index that can answer
    │   ├── NoIndexError          3   nothing was built yet
    │   ├── DamagedIndexError     3   a file of the index is missing, cut short or changed
    │   └── IndexMismatchError    3   built by another model, or in another format
    └── RebuildRunningError       4   another rebuild holds the lock

Each message names what is wrong, where, and what to do about it.
"""

from __future__ import annotations


class QabotError(Exception):
    """Base of every error raised on purpose; ``str(error)`` is one line for a person."""

    exit_code = 2


class UsageError(QabotError):
    """What was asked for cannot be done as asked."""


class SettingsError(UsageError):
    """A setting that is unknown or has no sensible value."""


class SourceError(UsageError):
    """A source of articles that does not exist, cannot be read or holds none."""


class QuestionError(UsageError):
    """A question that is empty or too long."""


class FilterError(UsageError):
    """A filter that is no date, or names what the index does not hold."""


class ArticleError(QabotError):
    """One document that cannot be read as an article; the others are not affected."""


class EncoderError(QabotError):
    """An embedding model that cannot be found, unpacked or loaded."""


class StorageError(QabotError):
    """The index folder cannot be written; the live generation stays as it was."""


class RebuildError(QabotError):
    """A rebuild in a process of its own came to nothing; the index is as it was."""


class StateError(QabotError):
    """The bot's state file is damaged, of a newer qabot, or cannot be written."""


class BotError(QabotError):
    """The Discord bot cannot start: its token, an intent, or Discord is out of reach."""


class UnusableIndexError(QabotError):
    """There is no index that could answer."""

    exit_code = 3


class NoIndexError(UnusableIndexError):
    """No index has been built in this folder."""


class DamagedIndexError(UnusableIndexError):
    """A file of the index is missing, cut short or does not match its checksum."""


class IndexMismatchError(UnusableIndexError):
    """The index was built by another model or in another format."""


class RebuildRunningError(QabotError):
    """Another rebuild of the same index is running."""

    exit_code = 4
