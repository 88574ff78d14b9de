"""Addresses of e-mail: what a person wrote into a file or at the keyboard, held to the standard.

A text comes in, the address goes out in the form that servers understand; a name to stand beside it
may hold anything but what would break a header.
"""

from __future__ import annotations

import re

#: Ends of lines in a header begin another header; the others are never seen.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")

#: Begins an encoded word (RFC 2047), in which anything could hide from whoever looks at the text.
_ENCODED = "=?"

#: A name longer than this is no name, and folds badly.
_LONGEST_NAME = 120


def checked(address: str) -> str:
    """Return an address as servers take it: a domain of another script in its ASCII form.

    Raises
    ------
    ValueError
        Where it is no address, telling why.

    Examples
    --------
    >>> checked("Ann@Пример.РФ")
    'Ann@xn--e1afmkfd.xn--p1ai'
    """
    import email_validator

    if _ENCODED in address:
        raise ValueError(f"an address may not hold {_ENCODED!r}. Write it like name@example.org")
    # A mail server of the company's own may well answer for «company.local».
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
    try:
        found = email_validator.validate_email(
            address, check_deliverability=False, globally_deliverable=False,
            allow_smtputf8=False)
    except email_validator.EmailNotValidError as error:
        raise ValueError(f"{error} Write it like name@example.org") from None
    return str(found.ascii_email)


def checked_name(name: str) -> str:
    """Return a name that may stand in a header.

    Raises
    ------
    ValueError
        Where it holds an end of a line or another control character, an encoded word, or is too
        long.
    """
    if found := _CONTROL.search(name):
        raise ValueError(f"a name may not hold the control character U+{ord(found[0]):04X}; "
                         "write it on one line")
    if _ENCODED in name:
        raise ValueError(f"a name may not hold {_ENCODED!r}; write its letters as they are")
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"a name may have at most {_LONGEST_NAME} characters")
    return name.strip()
