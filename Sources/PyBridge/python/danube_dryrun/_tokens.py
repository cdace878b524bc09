"""Opcodes of the recording, the contract with the compiler (`Recording.swift`).

A token is a tuple whose first element is one of these. Templates are a `str` when literal, else
`("t", part, …)` with part = `str` | `("o", n)` output | `("c", n)` exit code |
`("x", key)` secret |
`("u", text)` untrusted text | `("m", name, base, args, index, limit)` operation; `n` counts the
steps of one path. Predicates are `("k", n, ranges)` (exit code in ranges, a
flat tuple of low, high),
`("cmp", op, left, right)`, `("def", template)`, `("and", p, …)`, `("or", p, …)`, `("not", p)`.
"""

from __future__ import annotations

STEP = 0  # (0, frame, name, command, flags, options)
UPLOAD = 1  # (1, frame, path, name, junit)
NOTE = 2  # (2, frame, text)
DECIDE = 3  # (3, predicate, answer, frame)
IF = 4  # (4, predicate)
ELSE = 5  # (5,)
END_IF = 6  # (6,)
PARALLEL = 7  # (7, frame, name, fail_fast)
END_PARALLEL = 8  # (8,)
SEQUENCE = 9  # (9, frame, name)
END_SEQUENCE = 10  # (10,)
RESOLVE = 11  # (11, n): what follows in the block needs step n to have succeeded
EXIT = 12  # (12, kind, message, frame, code, expression)
FRAME = 13  # (13, id, parent, file, line, column, end line, end column, function)
FINALLY = 14  # (14, i): a `finally` begins whose `try` did after so many tokens
END_FINALLY = 15  # (15,)

# Flags of a step.
CHECK = 1
CAPTURE = 2
HANDLED = 4

# Kinds of an exit.
SUCCESS = 0
FAILURE = 1
LIVE = 2
