"""What pages are made of."""

from parkwatt.app.web.parts.basic import bare, button, card, text
from parkwatt.app.web.parts.level_bar import LevelBar, Mark
from parkwatt.app.web.parts.power_flow import Node, PowerFlow

__all__ = ["LevelBar", "Mark", "Node", "PowerFlow", "bare", "button", "card", "text"]
