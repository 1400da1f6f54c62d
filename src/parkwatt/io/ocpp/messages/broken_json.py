r"""Mends the JSON that chargers in the field are known to send.

One pass over the tokens, linear in the text. Mended are: a field without a value (`"transactionId":,` as AEFA chargers send
it) and NaN or Infinity, which become null; commas too many (`[,{` as Beny chargers send it, or one at the end); bytes that
are no UTF-8; control characters, unknown escapes and halves of surrogate pairs inside strings; a byte order mark before and
zero bytes after the text. What is mended may still be no JSON: the caller's decoder has the last word.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
      (?P<string> " (?: [^"\\]++ | \\(?:.|\Z) )*+ (?: " | \Z ) )
    | (?P<valueless> : \s*+ (?=[,}\]]) )
    | (?P<opening> [\[{] ) (?: \s*+ , )++
    | (?P<comma> , \s*+ (?=[,}\]]) )
    | (?P<number> [+-]? \b (?: NaN | nan | Infinity | inf ) \b )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r"""
      (?P<pair> \\u[dD][89abAB][0-9a-fA-F]{2} \\u[dD][c-fC-F][0-9a-fA-F]{2} )
    | (?P<half> \\u[dD][89a-fA-F][0-9a-fA-F]{2} )
    | (?P<known> \\["\\/bfnrt] | \\u[0-9a-fA-F]{4} )
    | (?P<unknown> \\ )
    """,
    re.VERBOSE,
)
_CONTROL = re.compile(r"[\x00-\x1f]")


def mended(data: bytes | str) -> bytes:
    """The text with the known mistakes put right, as UTF-8."""
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    text = data.decode("utf-8", "replace").strip("\ufeff\x00 \t\r\n")
    return _TOKEN.sub(_mended_token, text).encode()


def _mended_token(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "string":
            text = _CONTROL.sub(" ", token[0])
            return _ESCAPE.sub(_mended_escape, text) if "\\" in text else text
        case "valueless":
            return ":null"
        case "opening":
            return token["opening"]
        case "number":
            return "null"
    return ""


def _mended_escape(escape: re.Match[str]) -> str:
    match escape.lastgroup:
        case "half":
            return "\\ufffd"
        case "unknown":
            return ""
    return escape[0]
