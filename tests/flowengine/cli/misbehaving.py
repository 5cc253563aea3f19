"""Processors of somebody else that misbehave, installed as a package for the tests beside this."""

import threading

from flowengine.processor import Processor, Relationship


class Sleeper(Processor):
    """Never give its worker thread back."""

    blocking = True
    serial = True

    def on_trigger(self, context, session):
        session.get_batch()
        threading.Event().wait()


class Endless(Processor):
    """Hold the engine's loop for ever."""

    serial = True

    def on_trigger(self, context, session):
        session.get_batch()
        while True:
            pass


class Picky(Processor):
    """Raise on the record with the number 3."""

    serial = True
    success = Relationship("All others.")
    failure = Relationship("What it raised for.", failure=True)

    def on_trigger(self, context, session):
        for flowfile in session.get_batch():
            if flowfile.attributes["number"] == "3":
                raise KeyError("three")
            session.transfer(flowfile, self.success)


class Leaky(Processor):
    """Forget the record with the number 3."""

    serial = True
    success = Relationship("All others.")

    def on_trigger(self, context, session):
        for flowfile in session.get_batch():
            if flowfile.attributes["number"] != "3":
                session.transfer(flowfile, self.success)
