"""The printable documentation of a flow: its graph as SVG, and everything that is set in it."""

from flowengine.flowdoc.page import document_body, document_page

__all__ = ["document_body", "document_page"]
