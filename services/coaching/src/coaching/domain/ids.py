"""Identifiers, so that one kind is not taken for another."""

from typing import NewType

OrganizationId = NewType("OrganizationId", str)
PersonId = NewType("PersonId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
TurnId = NewType("TurnId", str)
