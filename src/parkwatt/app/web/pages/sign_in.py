"""Signing in, the one-time link, and what is shown where the site does not answer. Plain forms: they need no script."""

from __future__ import annotations

from html import escape

from fastapi import Request
from nicegui import ui

from parkwatt.app.web import catalogue

_REASONS = ("wrong", "often", "link", "away")


def sign_in_page(request: Request, language: str) -> None:
    """Name and password; what went wrong the last time."""
    why = request.query_params.get("why", "")
    fault = _t(language, f"why_{why}") if why in _REASONS else ""
    told = f'<p class="fault" role="alert">{escape(fault)}</p>' if fault else ""
    _alone(
        _t(language, "heading"),
        f"""<form method="post" action="{_prefix(request)}/sign-in" class="stack">{told}
        <label class="field">{_t(language, "user")}
        <input name="name" autocomplete="username" required maxlength="64" autofocus></label>
        <label class="field">{_t(language, "password")}
        <input name="password" type="password" autocomplete="current-password" required maxlength="256"></label>
        <input type="hidden" name="next" value="{escape(request.query_params.get("next", "/"))}">
        <button class="button">{_t(language, "go")}</button></form>
        <p class="muted">{_t(language, "no_password")}</p>""",
    )


def welcome_page(request: Request, language: str) -> None:
    """A one-time link was opened: it is used by the button, so that no preview of the link uses it up."""
    _alone(
        _t(language, "welcome"),
        f"""<p>{_t(language, "welcome_text")}</p><form method="post" action="{_prefix(request)}/sign-in">
        <input type="hidden" name="link" value="{escape(request.query_params.get("link", ""))}">
        <button class="button" autofocus>{_t(language, "go_device")}</button></form>""",
    )


def unreachable_page(request: Request, language: str) -> None:
    """The site's control does not answer: this page looks again by itself."""
    _alone(
        _t(language, "away_heading"),
        f'<p role="status">{_t(language, "why_away")}</p>'
        f'<a class="button" href="{_prefix(request)}/">{_t(language, "again")}</a>',
    )
    ui.add_head_html('<meta http-equiv="refresh" content="3">')


def _t(language: str, name: str) -> str:
    return catalogue.text(language, f"sign_in.{name}")


def _alone(heading: str, html: str) -> None:
    ui.html(
        f'<div class="card"><h1>{heading}</h1>{html}</div>', sanitize=False, tag="main"
    ).classes("alone")


def _prefix(request: Request) -> str:
    return escape(request.headers.get("x-forwarded-prefix", ""))
