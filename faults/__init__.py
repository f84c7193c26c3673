"""Break everything that a rebuild and its readers lean on, and see that nothing is lost.

``python -m faults`` runs the real commands in processes of their own, harms them or their files,
and compares the answers that are given afterwards with those of the articles before and after. It
writes what came of each fault to ``docs/reliability.md``.
"""
