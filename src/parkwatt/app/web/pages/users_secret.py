"""A link or a token that is shown once: a field to copy from, and a button that does."""

from __future__ import annotations

from nicegui import ui

from parkwatt.app.web.page import Page
from parkwatt.app.web.parts import bare, button, text


class Secret:
    """Where it is shown; hidden until there is one."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._place = bare("div", "secret stack hidden").props("role=status")

    def show(self, heading: str, secret: str, remark: str) -> None:
        """Show it in place of the one before, and bring it into view."""
        page, place = self._page, self._place
        place.clear()
        place.classes(remove="hidden")
        with place:
            text(heading, "strong", tag="p")
            with bare("div", "copy"):
                line = bare("input").props(f'readonly aria-label="{heading}"')
                line.props["value"] = secret
                copied = page.t("users.copied")
                button(page.t("users.copy"), lambda: page.say(copied)).on(
                    "click",
                    js_handler=f"""() => {{
                      const line = getHtmlElement({line.id}); line.select();
                      navigator.clipboard ? navigator.clipboard.writeText(line.value) : document.execCommand("copy");
                    }}""",
                )
            text(remark, "muted", tag="p")
        ui.run_javascript(
            f"getHtmlElement({place.id}).scrollIntoView({{block: 'nearest', behavior: 'smooth'}})"
        )
