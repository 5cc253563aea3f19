"""The processors that ship with flowengine: one file each, found through entry points."""
