"""The spool: messages on disk before a log call returns, until they have their outcome.

The way of a message::

    log call -> Writer -> Link -> Link -> Link      (segments of a chain; in memory where the disk can't)
                            |
                          Reader -> Dispatch        (at once while it is up to date, else when its turn comes)
                            |
                          settle: the line is blanked; a segment without lines is deleted
"""
