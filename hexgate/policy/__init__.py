"""Policy documents: load, link (inheritance, constants, boundary), check; and deciding with the interpreter."""
