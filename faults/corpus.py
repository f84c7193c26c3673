"""A few short articles in two states, and questions that tell these apart."""

from __future__ import annotations

from pathlib import Path

Articles = dict[str, str]

_TELESCOPE = (
    "The telescope was launched on 25 December 2021. Its mirror is 6.5 metres wide and consists of "
    "18 segments."
)
_VOLCANO = (
    "Der Vulkan auf La Palma brach am 19. September 2021 aus. Nach neun Tagen erreichte die Lava "
    "das Meer."
)
BEFORE: Articles = {
    "bridge": "The old bridge was opened in 1931 by the king. It is 420 metres long.",
    "mayor": "Anna Berg is the mayor of the town. She was elected in May.",
    "telescope": _TELESCOPE,
    "volcano": _VOLCANO,
}
AFTER: Articles = {
    # Changed, and its quote with it; the mayor is gone; the harbour is new.
    "bridge": "The new bridge was opened in 1987 by the queen. It is 655 metres long.",
    "harbour": "The harbour is 14 metres deep. Ships of 300 metres can moor there.",
    "telescope": _TELESCOPE,
    "volcano": _VOLCANO,
}
QUESTIONS = (
    "When was the bridge opened?",
    "Who is the mayor of the town?",
    "How deep is the harbour?",
    "How wide is the telescope's mirror?",
    "When did the volcano erupt?",
)


def write(folder: Path, articles: Articles) -> None:
    """Make ``folder`` hold these articles and no others."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.stem not in articles:
            path.unlink()
    for name, text in articles.items():
        head = f"---\ntitle: {name.capitalize()}\nlanguage: {'de' if name == 'volcano' else 'en'}\n"
        (folder / f"{name}.md").write_text(f"{head}---\n\n{text}\n", "utf-8")
